#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signet/dataset/dataset.h"

namespace signet {

// The door of learn/: no type of libtorch in it. Formulas and their source: docs/method.md and src/learn/loss.h.
enum class HashLoss { kExpProduct, kExpInner, kExpBitwise };  // readings R2, R1, R3
enum class Pretrain { kNone, kFeatures, kBoth };
// What a mirrored picture is good for: nothing (digits, text and signs mean something else in a mirror), training, or training
// and encoding: the model then averages the real outputs of a picture and of its mirror image before the sign, at twice the cost
// of encoding. Instance codes (kInstance) tell a picture from its mirror image, whatever this says.
enum class Mirror { kNone, kTraining, kBoth };

// What makes two images similar. kClasses: a common label. kInstance: they are views of one picture (an image and its altered
// copies, see image/alter.h), every other pair of a batch is dissimilar; labels are not looked at, and there is the joint stage
// alone, on images of the full size. pretrain, joint_classification, mirror, translate and cutout are not read: each must be at
// its default, or none or 0. The result tells copies of a picture from other pictures, of its class too: what `signet dedup`
// needs.
enum class Supervision { kClasses, kInstance };

// What the filters of convolutions learn by; everything else learns by Nesterov SGD. Muon's steps are orthogonalised momentum.
enum class FilterOptimizer { kSgd, kMuon };

struct TrainOptions {
  std::uint32_t bits = 12;     // 1 to 4096
  std::string arch = "small";  // "small", "medium", "wide", "large": width of the network
  Supervision supervision = Supervision::kClasses;
  HashLoss loss = HashLoss::kExpProduct;
  // Another method's loss in place of `loss`, to compare with: a name of loss_names(); empty = none. It takes the passes of the
  // stages after "features"; options of signet's own loss must be at their defaults (docs/rivals.md).
  std::string rival;
  double alpha = 6;             // scale of the exponent, above 0, at most 40
  double exponent_cap = 3;      // log of the loss of a pair above which it grows like its tangent only; infinity = never
  bool equal_pair_mass = true;  // similar and dissimilar pairs weigh the same as groups; false: every pair weighs the same
  Pretrain pretrain = Pretrain::kBoth;
  double joint_classification = 0.1;  // lambda: weight of the classification term during joint fine-tuning; 0 = off
  Mirror mirror = Mirror::kBoth;
  bool progressive_resizing = true;  // begin on images of 5/7 of the side, at half the cost, where that leaves 16 pixels or more
  std::uint32_t translate = 2;       // pixels that a training picture is shifted by at most, each way; at most 64
  std::uint32_t cutout = 0;          // side in pixels of a square of each training picture that is blanked out; 0 = none
  double epochs = 0;                 // passes over the training images, all stages together; 0 = the architecture's default
  std::size_t batch = 0;             // images, 4 to 65536; 0 = default
  std::uint32_t side = 0;  // of the network's square input in pixels; 0 = the images' own size where it is one and small, else 64
  FilterOptimizer optimizer = FilterOptimizer::kSgd;
  std::uint64_t seed = 1;
  std::size_t threads = 0;            // 0 = one per CPU
  std::string device = "cpu";         // "cpu", "cuda"
  bool bfloat16 = false;              // autocast of the feature layers; the hash layer and the loss stay float32
  double validation_share = 0.05;     // of every class, taken from the training images; 0 = none
  std::string checkpoint_folder;      // empty = none
  double checkpoint_seconds = 60;     // between two checkpoints; one is also written at the end of every stage
  std::vector<std::uint32_t> nested;  // lengths of beginnings of the code, trained as codes of their own; ascending, below bits
  std::string features_from;          // a file of train_features: the stage "features" is taken from it; empty = it is trained
  // Self-training: the images of `unlabelled` join those that are trained on, with the classes that the model file `teacher`
  // names for them: of those it gives a class, the share that it is surest of. What labels they have is not looked at, and none
  // of them is validated on. Both or neither.
  std::string teacher;
  std::shared_ptr<const Dataset> unlabelled;
  double teacher_share = 0.6;  // above 0, at most 1
  bool resume = false;         // go on from checkpoint_folder; refuses a checkpoint of other options or data
  std::string log_path;        // JSON lines; empty = none
  std::string record;          // JSON object merged into the model's training record (data path, command)
};

// What instance codes are trained with unless the caller says otherwise. The one setting tried so far: others have not been
// compared with it (docs/dedup.md).
struct InstanceDefaults {
  std::uint32_t bits = 64;
  double alpha = 6;
};

struct TrainProgress {
  std::string stage;                // "features", "hash-layer", "joint"
  std::size_t step = 0, steps = 0;  // over all stages
  double epoch = 0, epochs = 0;
  double loss = 0;
  double images_per_second = 0;
  double seconds_left = 0;
  double validation_map = -1;     // -1: not measured yet
  double validation_recall = -1;  // kInstance: see TrainResult
  std::string warning;            // a code-collapse alarm, empty otherwise
};

struct TrainResult {
  std::string model_path;
  std::string fingerprint;
  std::uint64_t image_passes = 0;
  double seconds = 0;
  double images_per_second = 0;
  double validation_map = -1, validation_accuracy = -1;
  std::size_t unreadable = 0;         // images, labelled or not, that could not be decoded and were left out
  std::string first_unreadable;       // why, for the first of them
  std::size_t validation_images = 0;  // held out; of more than 10,000 so many are measured
  std::size_t validation_copies = 0;  // held out, with the pixels of an image that is trained on
  std::map<std::uint32_t, double> validation_map_of_beginnings;  // by nested length
  // kInstance: an altered copy of every validation image is planted (one change each, the six of kTuningChanges in turn); the
  // share of copies whose own original is strictly nearer than every other validation image. -1: not measured.
  double validation_recall = -1;
  std::uint64_t shared_image_passes = 0;  // those among image_passes that were taken from TrainOptions::features_from ...
  double shared_seconds = 0;              // ... and their time among seconds
  std::size_t unlabelled_images = 0, taught_images = 0;  // with a teacher: that could be read; that were trained on
  // ... and the share of validation images that it names rightly, of those that it is as sure of. -1: no teacher, or no such
  // image.
  double teacher_agreement = -1;
  double pflop = 0;             // estimate of all forward and backward work
  std::size_t added_steps = 0;  // beyond what `epochs` comes to: every stage takes one at least
};

// Trains on `train` (labelled, at least two classes; for kInstance at least two images, labelled or not) and writes the model to
// `model_path`. `progress` is called after every step; when it returns false a checkpoint is written (where a folder is set) and
// Error{kCancelled} thrown. Deterministic for a seed and thread count on one kind of processor; a resumed run reaches the same
// weights bit for bit. Throws kUsage for bad options, kInvalidArgument for bad data, kInternal with the batch named for NaN in
// the loss, or with the step named for weights that are no numbers when a checkpoint is due (the last good checkpoint stays), and
// std::bad_alloc for a lack of memory.
// libtorch's thread count is one number for the process, set for the time of a run: two runs at once disturb each other.
TrainResult train(const Dataset& data, const TrainOptions& options, const std::string& model_path,
                  const std::function<bool(const TrainProgress&)>& progress = {});

// Trains the stage "features" alone and writes it to `features_path` (docs/format/features.md). A run with
// TrainOptions::features_from goes on from there to the same weights bit for bit as if it had trained the stage itself, so runs
// that differ only in what comes later (bits, loss, alpha, cap, pair weights, classification term, nested lengths) may share one
// file. The result names no model and has no validation mAP: there are no codes yet. Otherwise as train(); kInvalidArgument where
// the options have no such stage.
TrainResult train_features(const Dataset& data, const TrainOptions& options, const std::string& features_path,
                           const std::function<bool(const TrainProgress&)>& progress = {});

// Options of training by classes that Supervision::kInstance does not read, as the command line names them.
inline constexpr std::array kUnreadByInstance = {"--pretrain", "--joint-classification", "--mirror", "--translate", "--cutout"};

// Throws as train() would for the options alone, without looking at data. given: those of kUnreadByInstance that a user has
// given, which are then refused also where their value is the default, unless it says what instance training does (none, 0).
void check_train_options(const TrainOptions& options, std::span<const std::string> given = {});

// Every loss there is: signet's own readings and the methods to compare with.
struct LossName {
  std::string name, source;  // "dsh", "Liu et al., CVPR 2016"
};
std::vector<LossName> loss_names();
// Sets `loss` and `rival` of the options; throws kUsage, listing all names.
void set_loss(TrainOptions& options, const std::string& name);
Pretrain parse_pretrain(const std::string& name);          // none | features | both; throws kUsage
Supervision parse_supervision(const std::string& name);    // class | instance; throws kUsage
Mirror parse_mirror(const std::string& name);              // none | training | both; throws kUsage
FilterOptimizer parse_optimizer(const std::string& name);  // sgd | muon; throws kUsage

}  // namespace signet
