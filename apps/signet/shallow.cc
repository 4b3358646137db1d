#include "apps/signet/shallow.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/base/thread_pool.h"
#include "signet/encode/encoder.h"
#include "signet/encode/features_file.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPcaSample = 10'000;     // images that the principal directions are computed from
constexpr std::size_t kPixelDirections = 256;  // of --features pixels, unless --pca says otherwise
constexpr std::size_t kLookAt = 64;            // pictures that decide the size
constexpr std::uint32_t kLargestOwnSide = 64, kOtherSide = 32;
constexpr std::uint64_t kMostFeatures = std::uint64_t{2} << 30;  // numbers of 4 bytes

std::shared_ptr<const Dataset> evenly(std::shared_ptr<const Dataset> data, std::size_t count) {
  if (data->size() <= count) return data;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(i * data->size() / count);
  return subset(std::move(data), std::move(chosen));
}

// The pictures' own size where those looked at agree and are small; colour where one of them is.
FeatureExtractor pixels_for(const ShallowRequest& request, const Dataset& data) {
  std::uint32_t width = 0, height = 0, channels = 1;
  bool agree = true;
  const std::size_t step = std::max<std::size_t>(1, data.size() / kLookAt);
  for (std::size_t i = 0; i < data.size(); i += step) {
    Image image;
    try {
      image = data.get(i).image;
    } catch (const Error&) {  // features_of counts it
      continue;
    }
    if (width == 0) width = image.width, height = image.height;
    agree = agree && image.width == width && image.height == height;
    channels = std::max(channels, image.channels);
  }
  if (request.side > 0)
    width = height = static_cast<std::uint32_t>(request.side);
  else if (!agree || width == 0 || std::max(width, height) > kLargestOwnSide)
    width = height = kOtherSide;
  return request.features == "gist" ? gist_features(channels) : pixel_features(width, height, channels);
}

// Of features whose covariance is wanted, for principal directions or by the method itself. No picture whose own size is taken
// gives too many.
void check_covariance(const ShallowRequest& request, const FeatureExtractor& extractor) {
  const std::uint64_t size = extractor.size();
  if (size <= kMostCovarianceSize) return;
  const std::string needs = concat(" gives ", size, " numbers a picture, whose covariance needs ",
                                   human_bytes(size * size * sizeof(double)), "; at most ");
  const char* const otherwise = needs_covariance(request.method) ? "" : ", or --pca 0";
  if (request.features != "pixels")
    fail(ErrorCode::kInvalidArgument, "--features ", request.features, needs, kMostCovarianceSize, " numbers fit", otherwise);
  const double pixels = static_cast<double>(kMostCovarianceSize / extractor.preprocessing.channels);
  fail(ErrorCode::kInvalidArgument, "--size ", request.side, needs, "--size ", static_cast<std::uint64_t>(std::sqrt(pixels)),
       " fits", otherwise);
}

void check_labels(const ShallowRequest& request, const Dataset& train) {
  if (!learns_from_labels(request.method)) return;
  for (std::size_t i = 0; i < train.size(); ++i)
    if (!train.labels(i).empty()) return;
  std::vector<std::string> others = baseline_names();
  std::erase_if(others, [](const std::string& name) { return learns_from_labels(name); });
  fail(ErrorCode::kInvalidArgument, "--method ", request.method, " learns from labels, and no image of ", request.data.path,
       " has one; a folder for each class would be right, or a method that needs no labels: ", join(others));
}

// Of one unlabelled picture among many, which fit_baseline would only know by its number.
void check_every_label(const ShallowRequest& request, const Dataset& train,
                       const std::vector<std::vector<std::int32_t>>& labels) {
  if (!learns_from_labels(request.method)) return;
  const auto gap = std::find_if(labels.begin(), labels.end(), [](const auto& list) { return list.empty(); });
  if (gap == labels.end()) return;
  fail(ErrorCode::kInvalidArgument, request.data.path, ": ", train.key(static_cast<std::size_t>(gap - labels.begin())),
       " has no label, and --method ", request.method, " needs one for each picture; give it one or take it out of the data");
}

// Where nobody says how many rows a vector has as a matrix, the features do.
BaselineOptions options_for(const ShallowRequest& request, const FeatureExtractor& extractor) {
  BaselineOptions options = request.options;
  if (options.rows == 0) options.rows = extractor.matrix_rows();
  return options;
}

json parameters_of(const ShallowRequest& request, const FeatureExtractor& extractor, std::size_t vectors) {
  const BaselineOptions options = effective_options(request.method, options_for(request, extractor), vectors);
  json parameters = json::object();
  for (const std::string& name : baseline_parameters(request.method)) {
    if (name == "rounds") parameters[name] = options.rounds;
    if (name == "anchors") parameters[name] = options.anchors;
    if (name == "labelled") parameters[name] = options.labelled;
    if (name == "ridge") parameters[name] = options.ridge;
    if (name == "lambda") parameters[name] = options.lambda;
    if (name == "nu") parameters[name] = options.nu;
    if (name == "rows") parameters[name] = options.rows;
  }
  return parameters;
}

json record_of(const ShallowRequest& request, const FeatureExtractor& extractor, const Dataset& train,
               const ShallowSeconds& seconds) {
  json record = {{"method", request.method},
                 {"features", request.features},
                 {"feature_size", extractor.size()},
                 {"parameters", parameters_of(request, extractor, train.size())},
                 {"bits", request.options.bits},
                 {"seed", request.options.seed},
                 {"dataset", train.describe()},
                 {"data", absolute_path(request.data.path)},
                 {"split", request.data.split},
                 {"training_images", train.size()},
                 {"validation_images", 0},
                 {"image_passes", train.size()},
                 {"seconds", seconds.features + seconds.method},
                 {"feature_seconds", seconds.features},
                 {"command", request.command},
                 {"version", SIGNET_VERSION}};
  if (!request.model.empty()) {
    const FeaturesSource source = read_features_source(real_file_system(), request.model);
    record["features_of"] = source.model.info.fingerprint;
    record["first_stage"] = source.first_stage;
    record["image_passes"] = train.size() + source.image_passes;
    record["seconds"] = seconds.features + seconds.method + source.seconds;
    record["shared_image_passes"] = source.image_passes;
    record["shared_seconds"] = source.seconds;
  }
  if (!request.protocol.empty()) record.update({{"protocol", request.protocol}, {"draw_seed", request.draw_seed}});
  if (request.data.leave_out_copies) record["leave_out_copies"] = true;
  if (request.data.compose) record["compose"] = true;
  return record;
}

// Takes the images away that `unreadable` says the reasons of, and their places among the values.
void leave_out(FeatureVectors& made, std::size_t size, const std::map<std::size_t, std::string>& unreadable) {
  made.unreadable = unreadable.size(), made.first_unreadable = unreadable.begin()->second;
  if (made.unreadable == made.images->size())
    fail(ErrorCode::kInvalidArgument, made.images->describe(), ": no image can be read; the first: ", made.first_unreadable);
  std::vector<std::size_t> read;
  for (std::size_t i = 0; i < made.images->size(); ++i) {
    if (unreadable.contains(i)) continue;
    std::copy_n(made.values.begin() + static_cast<std::ptrdiff_t>(i * size), size,
                made.values.begin() + static_cast<std::ptrdiff_t>(read.size() * size));
    read.push_back(i);
  }
  made.values.resize(read.size() * size);
  made.images = subset(std::move(made.images), std::move(read));
}

}  // namespace

FeatureVectors features_of(const FeatureExtractor& extractor, std::shared_ptr<const Dataset> data, std::size_t threads,
                           const ProgressFn& progress) {
  const std::size_t size = extractor.size(), count = data->size();
  if (std::uint64_t{count} * size > kMostFeatures)
    fail(ErrorCode::kInvalidArgument, count, " images with features of ", size,
         " numbers take more than 8 GiB; a smaller --size or fewer images fit");
  FeatureVectors made;
  made.values.resize(count * size);
  const FeatureReader reader(extractor);
  ThreadPool pool(threads);
  std::mutex mutex;
  std::size_t done = 0;
  std::map<std::size_t, std::string> unreadable;  // why
  constexpr std::size_t kGrain = 64;
  pool.parallel_for(count, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      Image image;
      try {
        image = data->get(i).image;
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        unreadable[i] = error.what();
        continue;
      }
      reader.read(image, {made.values.data() + i * size, size});
    }
    const std::lock_guard lock(mutex);
    done += end - begin;
    if (progress && !progress({extractor.name, done, count, {}}))
      fail(ErrorCode::kCancelled, "stopped after the features of ", done, " of ", count, " images");
  });
  made.images = std::move(data);
  if (!unreadable.empty()) leave_out(made, size, unreadable);
  return made;
}

FeatureExtractor make_extractor(const ShallowRequest& request, const Dataset& train, const ProgressFn& progress) {
  if (train.size() == 0) fail(ErrorCode::kInvalidArgument, request.data.path, " holds no image to learn from");
  check_labels(request, train);
  const bool of_network = request.features.starts_with("network");
  FeatureExtractor extractor = of_network ? network_features(read_features_source(real_file_system(), request.model).model,
                                                             request.features == "network-map", "--model " + request.model)
                                          : pixels_for(request, train);
  const std::size_t directions = request.pca_given                                                         ? request.pca
                                 : request.features == "pixels" && !request.method.starts_with("bilinear") ? kPixelDirections
                                                                                                           : 0;
  if (directions > 0 || needs_covariance(request.method)) check_covariance(request, extractor);
  if (directions == 0) return extractor;
  const std::shared_ptr<const Dataset> whole(&train, [](const Dataset*) {});  // borrowed for this call
  const FeatureVectors sample = features_of(extractor, evenly(whole, kPcaSample), request.threads, progress);
  return project(extractor, fit_pca({sample.values, extractor.size(), {}}, directions));
}

Model picture_hash_model(const ShallowRequest& request) {
  const json record = {{"method", request.method},
                       {"bits", kPictureHashBits},
                       {"seed", request.options.seed},
                       {"training_images", 0},
                       {"validation_images", 0},
                       {"image_passes", 0},
                       {"seconds", 0},
                       {"command", request.command},
                       {"version", SIGNET_VERSION}};
  return signet::picture_hash_model(parse_picture_hash(request.method),
                                    record.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::unique_ptr<Hasher> fit_shallow(const ShallowRequest& request, const FeatureExtractor& extractor,
                                    std::span<const float> values, const Dataset& train, const ProgressFn& progress) {
  const std::vector<std::vector<std::int32_t>> labels = labels_of(train);
  check_every_label(request, train, labels);
  BaselineOptions options = options_for(request, extractor);
  options.progress = progress;
  return fit_baseline(request.method, {values, extractor.size(), labels}, options);
}

Model shallow_model(const ShallowRequest& request, const FeatureExtractor& extractor, const Hasher& hasher, const Dataset& train,
                    const ShallowSeconds& seconds) {
  return make_hash_model(extractor, hasher, train.class_names(),
                         record_of(request, extractor, train, seconds).dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace signet::cli
