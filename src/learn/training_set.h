#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "learn/torch.h"
#include "signet/base/thread_pool.h"
#include "signet/dataset/dataset.h"
#include "signet/encode/model.h"

namespace signet {

// All images (where labels count: all labelled ones) of a dataset at the network's geometry, in memory once as bytes: 60,000
// images of 28 x 28 take 47 MB.
struct TrainingSet {
  std::uint32_t width = 0, height = 0, channels = 0;
  Preprocessing preprocessing;  // of the model: geometry, and mean and deviation of the training pixels
  std::vector<std::string> class_names;
  std::vector<std::uint8_t> pixels;               // size() images, height x width x channels each
  std::vector<std::vector<std::int32_t>> labels;  // sorted, at least one each; empty lists without `labelled`
  std::vector<std::size_t> source;                // index of every image in the dataset
  std::vector<std::size_t> train, validation;     // positions, ascending
  std::string data_hash;                          // SHA-256 over geometry, pixels, labels and the split
  std::size_t unreadable = 0;                     // images left out because they could not be decoded, those without labels too
  std::string first_unreadable;                   // why, for the first
  std::size_t validation_copies = 0;              // validation images with the pixels of an image that is trained on

  std::size_t size() const { return labels.size(); }
  std::size_t image_bytes() const { return std::size_t{width} * height * channels; }
  std::span<const std::uint8_t> image(std::size_t i) const { return std::span(pixels).subspan(i * image_bytes(), image_bytes()); }
  std::size_t classes() const { return class_names.size(); }
};

// Reads everything. side: of the network's square input; 0 = the images' own size where all agree and it is between 16 and 96
// pixels, else 64. Throws kInvalidArgument where there are fewer than two classes with images, or more memory than `memory_limit`
// would be needed. labelled false: labels are neither needed nor kept, and every readable image is taken. keep_going is asked now
// and then; false -> kCancelled.
TrainingSet load_training_set(const Dataset& data, std::uint32_t side, double validation_share, std::uint64_t seed,
                              ThreadPool& pool, std::uint64_t memory_limit,
                              const std::function<bool(std::size_t done)>& keep_going, bool labelled = true);

// Pixels of images at one geometry, in the order of their indices in the data set; no labels.
struct ReadImages {
  std::vector<std::uint8_t> pixels;
  std::vector<std::size_t> source;  // index of every image in the dataset
  std::size_t unreadable = 0;
  std::string first_unreadable;
  std::size_t size() const { return source.size(); }
};

// Reads all images of `data`, its labels left alone, to be added to `beside`. Both together must fit into `memory_limit`; throws
// as load_training_set does.
ReadImages load_unlabelled(const Dataset& data, const TrainingSet& beside, ThreadPool& pool, std::uint64_t memory_limit,
                           const std::function<bool(std::size_t done)>& keep_going);

// Adds these images with the labels that a teacher gave them to those that are trained on; never to the validation images. In
// `source` they count on behind the images that are there.
struct TaughtImage {
  std::size_t image;  // position in ReadImages
  std::int32_t label;
};
void add_taught(TrainingSet& set, const ReadImages& images, std::span<const TaughtImage> taught);

// Images at these positions, normalised, n x c x h x w in channels-last order, float32.
at::Tensor normalised_images(const TrainingSet& set, std::span<const std::size_t> positions);

// How many images go through the network at once where no gradient is asked for, when `batch` go through it in training: 500 of
// pictures up to 32 x 32; of larger ones no more than a batch, or 64 (without a gradient an image takes a fraction of the
// memory); of those above 96 x 96 fewer yet.
std::size_t images_at_once(const TrainingSet& set, std::size_t batch);

// Pixel value -> network input, channel by channel: normalised_values() of each.
std::vector<float> normalisation_table(const Preprocessing& preprocessing);

}  // namespace signet
