#include "signet/learn/train.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "learn/training_test.h"
#include "learn/validation.h"
#include "signet/base/container.h"
#include "signet/code/code_matrix.h"
#include "signet/encode/encoder.h"
#include "signet/image/alter.h"

namespace signet {
namespace {

using nlohmann::json;

class Train : public TrainingTest {
 protected:
  TrainOptions with_checkpoint() const {
    TrainOptions o = quick();
    o.checkpoint_folder = path("checkpoint");
    return o;
  }
  std::string fingerprint(const TrainOptions& o) { return train(data_, o, path("model.onnx")).fingerprint; }

  std::string fingerprint_of(const Dataset& data, const TrainOptions& o) {
    return train(data, o, path("model.onnx")).fingerprint;
  }

  // Trains until `steps` steps are done, then stops as Ctrl-C does.
  void train_until(const TrainOptions& o, std::size_t steps) {
    try {
      train(data_, o, path("model.onnx"), [steps](const TrainProgress& p) { return p.epochs == 0 || p.step < steps; });
      FAIL() << "was not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
      EXPECT_NE(std::string(error.what()).find("--resume"), std::string::npos) << error.what();
    }
  }
};

TEST_F(Train, LearnsCodesAndWritesAModelThatSaysHow) {
  TrainOptions o = quick();
  o.epochs = 24;
  o.record = R"({"data": "bars"})";
  o.log_path = path("log.jsonl");
  const TrainResult result = train(data_, o, path("model.onnx"));
  EXPECT_GT(result.validation_map, 0.9);
  EXPECT_GT(result.validation_accuracy, 0.9);
  EXPECT_EQ(result.image_passes, 96u * 24u);  // 24 epochs of 96 images
  EXPECT_GT(result.pflop, 0);
  const Encoder encoder = Encoder::open(real_file_system(), path("model.onnx"), {1, "auto"});
  EXPECT_EQ(encoder.info().fingerprint, result.fingerprint);
  EXPECT_EQ(encoder.info().bits, 8u);
  EXPECT_EQ(encoder.info().class_names, data_.class_names());
  EXPECT_EQ(encoder.classes(), 4u);
  const json record = json::parse(encoder.info().training_record);
  EXPECT_EQ(record.at("data"), "bars");
  EXPECT_EQ(record.at("seed"), 1);
  EXPECT_EQ(record.at("library").get<std::string>().rfind("libtorch ", 0), 0u);
  EXPECT_EQ(record.at("options").at("library"), record.at("library"));
  EXPECT_EQ(record.at("options").at("convolution"), convolves_by_winograd(at::kCPU) ? "winograd" : "libtorch");
  EXPECT_EQ(record.at("loss"), "exp-product");
  EXPECT_EQ(record.at("stages").size(), 3u);
  EXPECT_EQ(record.at("validation").at("images"), 24);
  EXPECT_DOUBLE_EQ(record.at("validation").at("map"), result.validation_map);
  std::vector<std::string> events;
  std::ifstream log(o.log_path);
  for (std::string line; std::getline(log, line);) events.push_back(json::parse(line).at("event"));
  EXPECT_EQ(events.front(), "start");
  EXPECT_EQ(events.back(), "done");
  EXPECT_GT(std::count(events.begin(), events.end(), "validation"), 10);
}

TEST_F(Train, IsDeterministicForASeed) {
  const std::string first = fingerprint(quick());
  EXPECT_EQ(fingerprint(quick()), first);
  TrainOptions other = quick();
  other.seed = 2;
  EXPECT_NE(fingerprint(other), first);
  TrainOptions two = quick();
  two.threads = 2, two.epochs = 2;
  const std::string with_two = fingerprint(two);
  EXPECT_EQ(fingerprint(two), with_two);
}

TEST_F(Train, AResumedRunEndsWithTheSameWeights) {
  const std::string expected = fingerprint(quick());
  for (const std::size_t stop : {1u, 15u, 16u, 21u, 31u}) {  // within each stage (16 + 5 + 11 steps) and at their ends
    std::filesystem::remove_all(path("checkpoint"));
    train_until(with_checkpoint(), stop);
    TrainOptions o = with_checkpoint();
    o.resume = true;
    EXPECT_EQ(fingerprint(o), expected) << "stopped after step " << stop;
  }
}

TEST_F(Train, MuonLearnsAndResumes) {
  TrainOptions o = quick();
  o.optimizer = FilterOptimizer::kMuon;
  const std::string expected = fingerprint(o);
  EXPECT_NE(expected, fingerprint(quick()));
  TrainOptions cut = with_checkpoint();
  cut.optimizer = FilterOptimizer::kMuon;
  train_until(cut, 12);
  cut.resume = true;
  EXPECT_EQ(fingerprint(cut), expected);
  o.pretrain = Pretrain::kNone, o.epochs = 20, o.batch = 48;
  EXPECT_GT(train(data_, o, path("model.onnx")).validation_map, 0.9);
}

TEST_F(Train, ARunMayBeStoppedAgainAndAgain) {
  const std::string expected = fingerprint(quick());
  TrainOptions o = with_checkpoint();
  train_until(o, 3);
  o.resume = true;
  for (const std::size_t stop : {9u, 19u, 30u}) train_until(o, stop);
  EXPECT_EQ(fingerprint(o), expected);
  EXPECT_EQ(fingerprint(o), expected);  // a finished run only writes its model again
  o.resume = false;
  EXPECT_EQ(fingerprint(o), expected);  // and its checkpoint does not stand in the way of a new one
}

TEST_F(Train, CheckpointsAreWrittenOnTheWay) {
  TrainOptions o = with_checkpoint();
  o.checkpoint_seconds = 0;
  const std::string file = path("checkpoint/training.sigckpt");
  train(data_, o, path("model.onnx"), [&](const TrainProgress& p) {
    EXPECT_EQ(std::filesystem::exists(file), p.epochs > 0 && p.step > 1)
        << p.step;  // the first is written after the first report
    return true;
  });
}

TEST_F(Train, WhatAKilledWriteOfACheckpointLeftIsRemoved) {
  TrainOptions o = with_checkpoint();
  o.epochs = 1;
  const std::string left = path("checkpoint/training.sigckpt.tmp-7-7"), mine = path("checkpoint/notes.tmp-7-7");
  const auto put = [](const std::string& file) { std::ofstream(file) << "half"; };
  std::filesystem::create_directories(path("checkpoint"));
  put(left), put(mine);
  train_until(o, 1);
  EXPECT_FALSE(std::filesystem::exists(left));
  put(left);
  expect_error(ErrorCode::kInvalidArgument, "--resume", data_, o);
  EXPECT_TRUE(std::filesystem::exists(left));  // the run that the folder belongs to may be writing it
  o.resume = true;
  fingerprint(o);
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(mine));
}

TEST_F(Train, OtherOptionsOrDataDoNotResume) {
  train_until(with_checkpoint(), 5);
  TrainOptions o = with_checkpoint();
  expect_error(ErrorCode::kInvalidArgument, "--resume", data_, o);
  o.resume = true;
  BarDataset other = data_;
  other.noise_seed = 8;
  expect_error(ErrorCode::kMismatch, "other images", other, o);
  TrainOptions longer = o;
  longer.bits = 9;
  expect_error(ErrorCode::kMismatch, "bits = 8 and this run has 9", data_, longer);
  TrainOptions wider = o;
  wider.threads = 2;
  expect_error(ErrorCode::kMismatch, "threads = 1 and this run has 2", data_, wider);
  o.checkpoint_folder = path("nowhere");
  expect_error(ErrorCode::kNotFound, "no checkpoint", data_, o);
  o.checkpoint_folder.clear();
  expect_error(ErrorCode::kUsage, "--checkpoint", data_, o);
}

// Numbers that another libtorch or another convolution rounds differently are not the same weights bit for bit.
TEST_F(Train, ACheckpointOfAnotherLibraryOrConvolutionIsRefused) {
  train_until(with_checkpoint(), 5);
  const std::string file = path("checkpoint/training.sigckpt");
  TrainOptions o = with_checkpoint();
  o.resume = true;
  const auto refused = [&](const std::string& key, const json& other, const std::string& part) {
    const auto saved = Container::open(real_file_system(), file, "SCKP", 1);
    json meta = json::parse(as_text(saved->section("meta")));
    ASSERT_TRUE(meta.at("options").contains(key));
    const std::string mine = meta["options"][key].dump();
    if (other.is_null())
      meta["options"].erase(key);
    else
      meta["options"][key] = other;
    const std::string text = meta.dump(), unchanged(as_text(saved->section("meta")));
    const auto write = [&](const std::string& head) {
      ContainerWriter writer(real_file_system(), file, "SCKP", 1);
      writer.begin_section("meta");
      writer.append(as_bytes(head));
      writer.begin_section("tensors");
      writer.append(saved->section("tensors"));
      writer.finish();
    };
    write(text);
    expect_error(ErrorCode::kMismatch, concat(key, " = ", part, " and this run has ", mine, "; go on with the same "), data_, o);
    write(unchanged);
  };
  refused("library", "libtorch 0.4", "\"libtorch 0.4\"");
  refused("library", json(), "\"(absent)\"");
  refused("convolution", "abacus", "\"abacus\"");
}

TEST_F(Train, ADamagedCheckpointIsRefused) {
  train_until(with_checkpoint(), 5);
  const std::string file = path("checkpoint/training.sigckpt");
  const auto size = std::filesystem::file_size(file);
  TrainOptions o = with_checkpoint();
  o.resume = true;
  for (const std::uintmax_t at : {std::uintmax_t{1}, size / 3, size - 1}) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.get());
    const auto put = [&](char value) {
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(value);
      stream.flush();
    };
    put(static_cast<char>(byte ^ 4));
    expect_error(ErrorCode::kCorrupt, "training.sigckpt", data_, o);
    put(byte);
  }
  std::filesystem::resize_file(file, size / 2);
  expect_error(ErrorCode::kCorrupt, "training.sigckpt", data_, o);
}

TEST_F(Train, EveryKindOfPretrainingAndEveryReadingRuns) {
  for (const Pretrain pretrain : {Pretrain::kNone, Pretrain::kFeatures, Pretrain::kBoth}) {
    for (const HashLoss loss : {HashLoss::kExpInner, HashLoss::kExpBitwise}) {
      TrainOptions o = quick();
      o.pretrain = pretrain, o.loss = loss, o.epochs = 2, o.joint_classification = pretrain == Pretrain::kNone ? 0 : 0.1;
      const TrainResult result = train(data_, o, path("model.onnx"));
      EXPECT_EQ(result.image_passes, 8u * 24u);  // the same for all
      const Encoder encoder = Encoder::open(real_file_system(), path("model.onnx"), {1, "auto"});
      EXPECT_EQ(encoder.classes(), pretrain == Pretrain::kNone ? 0u : 4u);  // a classifier only where one was trained
    }
  }
}

TEST_F(Train, UnequalClassesALonelyImageAndEmptyClassesAreNoTrouble) {
  std::vector<std::vector<std::int32_t>> labels(60, {0});
  for (int i = 0; i < 12; ++i) labels.push_back({1});
  labels.push_back({3});
  const TrainResult result = train(BarDataset(labels, 5), quick(), path("model.onnx"));
  EXPECT_GE(result.validation_map, 0);
}

// What codes of clean pictures are worth after training on pictures of which every `every`-th bears another class's label.
class WrongLabels : public Dataset {
 public:
  WrongLabels(std::size_t images, std::size_t every) : pictures_(labels_in_turn(images, 4), 4) {
    for (std::size_t i = 0; i < images; ++i) shown_.push_back({(pictures_.labels(i).front() + (i % every == 0 ? 1 : 0)) % 4});
  }
  std::size_t size() const noexcept override { return pictures_.size(); }
  std::string key(std::size_t i) const override { return pictures_.key(i); }
  std::span<const std::int32_t> labels(std::size_t i) const override { return shown_[i]; }
  const std::vector<std::string>& class_names() const noexcept override { return pictures_.class_names(); }
  std::string describe() const override { return pictures_.describe(); }
  Sample get(std::size_t i) const override {
    Sample sample = pictures_.get(i);
    sample.labels = shown_[i];
    return sample;
  }

 private:
  BarDataset pictures_;
  std::vector<std::vector<std::int32_t>> shown_;
};

// mAP of the model's codes on clean pictures by their true labels.
double map_of_clean_bars(const std::string& model) {
  BarDataset clean(labels_in_turn(200, 4), 4);
  clean.noise_seed = 8;
  std::vector<Image> pictures;
  const auto truth = labels_in_turn(200, 4);
  std::vector<const std::vector<std::int32_t>*> labels;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    pictures.push_back(clean.get(i).image);
    labels.push_back(&truth[i]);
  }
  const Encoder encoder = Encoder::open(real_file_system(), model, {1, "auto"});
  const CodeMatrix codes = pack_signs(encoder.run(pictures).hash, encoder.info().bits);
  std::vector<std::uint64_t> words;
  for (std::size_t i = 0; i < codes.size(); ++i) words.push_back(codes.row(i)[0]);
  return tie_aware_map(words, 1, labels, encoder.info().bits);
}

TEST_F(Train, WrongLabelsDoNotRuleABatch) {
  TrainOptions o = quick();
  o.alpha = 12, o.epochs = 24, o.pretrain = Pretrain::kNone, o.joint_classification = 0;  // the pair loss alone
  const WrongLabels data(240, 7);
  train(data, o, path("model.onnx"));
  EXPECT_GT(map_of_clean_bars(path("model.onnx")), 0.8);
  o.exponent_cap = std::numeric_limits<double>::infinity();  // what the cap prevents
  try {
    train(data, o, path("uncapped.onnx"));
    EXPECT_LT(map_of_clean_bars(path("uncapped.onnx")), 0.7);
  } catch (const Error& error) {  // on some processors no number is left
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    EXPECT_NE(std::string(error.what()).find("a smaller --alpha"), std::string::npos) << error.what();
  }
}

TEST_F(Train, SeveralLabelsAnImageAndColour) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::int32_t i = 0; i < 90; ++i)
    labels.push_back(i % 3 == 0 ? std::vector{0} : i % 3 == 1 ? std::vector{0, 1} : std::vector{2, 1});
  TrainOptions o = quick();
  o.bfloat16 = true;
  const TrainResult result = train(BarDataset(labels, 3, 18, 3), o, path("model.onnx"));
  EXPECT_GT(result.validation_map, 0.5);
}

TEST_F(Train, AFewImagesAreEnough) {
  TrainOptions o;
  o.epochs = 2, o.validation_share = 0.05, o.threads = 1;
  const TrainResult result = train(BarDataset({{0}, {1}}, 2), o, path("model.onnx"));
  EXPECT_EQ(result.validation_map, -1);  // nothing could be spared
  EXPECT_TRUE(std::filesystem::exists(path("model.onnx")));
}

// Options that instance training does not read, as records name them.
constexpr const char* kOfClasses[] = {"pretrain", "joint-classification", "mirror", "progressive-resizing", "translate",
                                      "cutout"};

TEST_F(Train, InstanceCodesNeedNoLabels) {
  const BarDataset unlabelled(std::vector<std::vector<std::int32_t>>(120), 4);
  TrainOptions o = quick();
  o.supervision = Supervision::kInstance;
  o.bits = 24, o.epochs = 10, o.log_path = path("log.jsonl");
  const TrainResult result = train(unlabelled, o, path("model.onnx"));
  EXPECT_GE(result.validation_recall, 0);  // measured; what is learned is another test's question
  EXPECT_LE(result.validation_recall, 1);
  EXPECT_EQ(result.validation_map, -1);
  const Encoder encoder = Encoder::open(real_file_system(), path("model.onnx"), {1, "auto"});
  EXPECT_EQ(encoder.classes(), 0u);
  const json record = json::parse(encoder.info().training_record);
  EXPECT_EQ(record["options"]["supervision"], "instance");
  for (const char* unread : kOfClasses) EXPECT_FALSE(record["options"].contains(unread)) << unread;
  EXPECT_EQ(record["stages"].size(), 1u);
  EXPECT_EQ(record["stages"][0]["name"], "joint");
  EXPECT_EQ(record["validation"]["recall"], result.validation_recall);
  EXPECT_EQ(fingerprint_of(unlabelled, o), result.fingerprint);  // the same seed, the same model
  o.seed = 2;
  EXPECT_NE(fingerprint_of(unlabelled, o), result.fingerprint);
  // Labels change nothing.
  o.seed = 1;
  EXPECT_EQ(fingerprint_of(BarDataset(std::vector<std::vector<std::int32_t>>(120), 7), o), result.fingerprint);
}

// Bits by which codes of copies of pictures that training has not seen differ from the originals' (`copies`), and from the
// nearest other picture's (`others`), on average.
struct HeldOut {
  double copies = 0, others = 0;
  double found = 0;  // share of copies to which their own original is strictly the nearest
};
HeldOut held_out(const std::string& model) {
  const SceneDataset scenes(40, 99);
  const Encoder encoder = Encoder::open(real_file_system(), model, {1, "auto"});
  std::vector<Image> originals, changed;
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    originals.push_back(scenes.get(i).image);
    for (std::size_t k = 0; k < kTuningChanges.size(); ++k) changed.push_back(alter(originals[i], kTuningChanges[k], 10 * i + k));
  }
  const CodeMatrix codes = pack_signs(encoder.run(originals).hash, encoder.info().bits);
  const CodeMatrix copies = pack_signs(encoder.run(changed).hash, encoder.info().bits);
  HeldOut result;
  for (std::size_t c = 0; c < copies.size(); ++c) {
    const std::size_t own = c / kTuningChanges.size();
    const std::uint32_t distance = hamming_distance(copies.row(c), codes.row(own));
    std::uint32_t nearest = encoder.info().bits;
    for (std::size_t i = 0; i < codes.size(); ++i)
      if (i != own) nearest = std::min(nearest, hamming_distance(copies.row(c), codes.row(i)));
    result.copies += distance / static_cast<double>(copies.size());
    result.others += nearest / static_cast<double>(copies.size());
    result.found += (distance < nearest ? 1 : 0) / static_cast<double>(copies.size());
  }
  return result;
}

TEST_F(Train, InstanceCodesFindCopiesOfPicturesTheyHaveNotSeen) {
  const SceneDataset scenes(400, 1);
  TrainOptions o = quick();
  o.supervision = Supervision::kInstance;
  o.bits = 32, o.batch = 64, o.epochs = 0.2;
  train(scenes, o, path("begun.onnx"));
  o.epochs = 8;
  train(scenes, o, path("trained.onnx"));
  const HeldOut begun = held_out(path("begun.onnx")), trained = held_out(path("trained.onnx"));
  EXPECT_GT(trained.found, 0.6);  // of 40 pictures: chance finds 0.025
  EXPECT_GT(trained.found, begun.found);
  EXPECT_LT(trained.copies, 0.75 * trained.others);
  EXPECT_LT(trained.copies / trained.others, begun.copies / begun.others);
}

TEST_F(Train, InstanceTrainingGoesOnWhereItWasStopped) {
  const BarDataset unlabelled(std::vector<std::vector<std::int32_t>>(120), 4);
  TrainOptions o = with_checkpoint();
  o.supervision = Supervision::kInstance;
  const std::string whole = fingerprint_of(unlabelled, o);
  std::filesystem::remove_all(path("checkpoint"));
  EXPECT_THROW(train(unlabelled, o, path("model.onnx"), [](const TrainProgress& p) { return p.epochs == 0 || p.step < 7; }),
               Error);
  // Older checkpoints hold the options that are not read: as long as new ones do, the old ones can be gone on with.
  const auto saved = Container::open(real_file_system(), path("checkpoint/training.sigckpt"), "SCKP", 1);
  const json kept = json::parse(as_text(saved->section("meta"))).at("options");
  for (const char* unread : kOfClasses) EXPECT_TRUE(kept.contains(unread)) << unread;
  o.resume = true;
  EXPECT_EQ(fingerprint_of(unlabelled, o), whole);
  o.supervision = Supervision::kClasses;
  expect_error(ErrorCode::kMismatch, "supervision = \"instance\"", data_, o);
}

// Averaging over a handful of steps would end where they began.
TEST_F(Train, StagesOfAFewStepsAreLearnedFromToo) {
  TrainOptions o = quick();
  o.epochs = 14, o.batch = 0;  // 14 steps of all images: 7, 2 and 5 of them
  const std::string usual = fingerprint(o);
  o.alpha = 3;  // read in the joint stage alone
  const std::string joint = fingerprint(o);
  EXPECT_NE(joint, usual);
  o.alpha = TrainOptions().alpha, o.joint_classification = 0.2;
  EXPECT_NE(fingerprint(o), usual);
}

TEST_F(Train, ALogIsNeverWrittenIntoSomethingElse) {
  TrainOptions o = quick();
  o.epochs = 1;
  o.log_path = path("notes.txt");
  const std::string notes = "what I want to keep";
  std::ofstream(o.log_path) << notes;
  expect_error(ErrorCode::kInvalidArgument, "notes.txt: holds something else", data_, o);
  std::string left;
  std::getline(std::ifstream(o.log_path), left);
  EXPECT_EQ(left, notes);
  o.log_path = path("");
  expect_error(ErrorCode::kInvalidArgument, "is no file", data_, o);
}

// libtorch says a lack of memory in words of its own; what catches std::bad_alloc knows what would help.
TEST_F(Train, ALackOfMemoryIsWhatItIsElsewhere) {
  class Large : public BarDataset {
   public:
    using BarDataset::BarDataset;
    std::string said;
    Sample get(std::size_t) const override { throw c10::Error(said, ""); }
  } data(labels_in_turn(20, 2), 2);
  data.said = "[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.";
  EXPECT_THROW(train(data, quick(), path("model.onnx")), std::bad_alloc);
  data.said = "expected a tensor";
  expect_error(ErrorCode::kInternal, "libtorch: expected a tensor", data, quick());
}

TEST_F(Train, ImagesThatCannotBeReadAreCountedAndNamed) {
  TrainOptions o = quick();
  o.epochs = 1;
  BarDataset data = data_;
  data.unreadable = 6;
  const TrainResult result = train(data, o, path("model.onnx"));
  EXPECT_EQ(result.unreadable, 1u);
  EXPECT_EQ(result.first_unreadable, "bar/6: is damaged");
}

TEST_F(Train, BadDataIsRefused) {
  TrainOptions instance = quick();
  instance.supervision = Supervision::kInstance;
  expect_error(ErrorCode::kInvalidArgument, "at least two", BarDataset({{0}}, 1), instance);
  expect_error(ErrorCode::kInvalidArgument, "all images are of one class, \"bar1\"",
               BarDataset(std::vector<std::vector<std::int32_t>>(20, {1}), 3), quick());
  expect_error(ErrorCode::kInvalidArgument, "at least two classes", BarDataset(labels_in_turn(20, 1), 1), quick());
  expect_error(ErrorCode::kInvalidArgument, "no image has a label", BarDataset(std::vector<std::vector<std::int32_t>>(20), 3),
               quick());
  expect_error(ErrorCode::kInvalidArgument, "no images", BarDataset({}, 3), quick());
}

TEST_F(Train, BadOptionsAreRefused) {
  const auto expect = [&](const std::string& part, auto change) {
    TrainOptions o = quick();
    change(o);
    expect_error(ErrorCode::kUsage, part, data_, o);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect("--bits 0", [](TrainOptions& o) { o.bits = 0; });
  expect("--bits 4097", [](TrainOptions& o) { o.bits = 4097; });
  expect("--alpha 0", [](TrainOptions& o) { o.alpha = 0; });
  expect("--alpha nan", [nan](TrainOptions& o) { o.alpha = nan; });
  expect("--alpha 41", [](TrainOptions& o) { o.alpha = 41; });
  expect("--exponent-cap", [](TrainOptions& o) { o.exponent_cap = -1; });
  expect("--joint-classification -1", [](TrainOptions& o) { o.joint_classification = -1; });
  expect("--translate 65", [](TrainOptions& o) { o.translate = 65; });
  expect("--cutout 1025", [](TrainOptions& o) { o.cutout = 1025; });
  expect("--epochs -3", [](TrainOptions& o) { o.epochs = -3; });
  for (const std::size_t batch : {1u, 3u, 65537u})
    expect(concat("--batch ", batch, " must be 4 "), [=](TrainOptions& o) { o.batch = batch; });
  expect("--size 8", [](TrainOptions& o) { o.side = 8; });
  expect("--validation 1", [](TrainOptions& o) { o.validation_share = 1; });
  expect("--arch \"tall\"", [](TrainOptions& o) { o.arch = "tall"; });
  expect("--device \"abacus\"", [](TrainOptions& o) { o.device = "abacus"; });
}

TEST_F(Train, OptionsThatInstanceTrainingDoesNotReadAreRefused) {
  const auto expect = [&](const std::string& part, auto change) {
    TrainOptions o = quick();
    o.supervision = Supervision::kInstance;
    change(o);
    expect_error(ErrorCode::kUsage, part, data_, o);
    o.supervision = Supervision::kClasses;
    check_train_options(o);
  };
  expect("--pretrain features", [](TrainOptions& o) { o.pretrain = Pretrain::kFeatures; });
  expect("--joint-classification 0.5", [](TrainOptions& o) { o.joint_classification = 0.5; });
  expect("--mirror training", [](TrainOptions& o) { o.mirror = Mirror::kTraining; });
  expect("--translate 3", [](TrainOptions& o) { o.translate = 3; });
  expect("--cutout 5", [](TrainOptions& o) { o.cutout = 5; });
  TrainOptions none = quick();
  none.supervision = Supervision::kInstance;
  none.pretrain = Pretrain::kNone, none.joint_classification = 0, none.mirror = Mirror::kNone, none.translate = 0;
  none.progressive_resizing = false;
  check_train_options(none);
}

TEST(TrainNames, AreThoseOfTheCommandLine) {
  TrainOptions o;
  for (const auto& [name, loss] : {std::pair{"exp-inner", HashLoss::kExpInner}, {"exp-bitwise", HashLoss::kExpBitwise}}) {
    set_loss(o, name);
    EXPECT_EQ(o.loss, loss);
  }
  EXPECT_EQ(parse_pretrain("features"), Pretrain::kFeatures);
  EXPECT_EQ(parse_supervision("instance"), Supervision::kInstance);
  EXPECT_EQ(parse_optimizer("muon"), FilterOptimizer::kMuon);
  EXPECT_EQ(parse_optimizer("sgd"), FilterOptimizer::kSgd);
  EXPECT_THROW(parse_optimizer("adam"), Error);
  EXPECT_THROW(parse_supervision("self"), Error);
  EXPECT_THROW(set_loss(o, "hinge"), Error);
  EXPECT_THROW(parse_pretrain("some"), Error);
}

}  // namespace
}  // namespace signet
