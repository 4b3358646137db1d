#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/signet/command.h"
#include "apps/signet/protocol_data.h"
#include "apps/signet/shallow.h"
#include "apps/signet/terminal.h"
#include "apps/signet/trainer_process.h"
#include "signet/base/error.h"

namespace signet::cli {
namespace {

// `learned`: nothing where the method looks at one picture alone.
void print(const ShallowRequest& r, const Model& model, const FeatureVectors* learned, double seconds) {
  const std::size_t images = learned != nullptr ? learned->images->size() : 0;
  if (r.json) {
    std::cout << nlohmann::json{{"model", r.out},
                                {"fingerprint", model.info.fingerprint},
                                {"method", r.method},
                                {"features", r.features},
                                {"bits", model.info.bits},
                                {"seed", r.options.seed},
                                {"training_images", images},
                                {"unreadable", learned != nullptr ? learned->unreadable : 0},
                                {"train_seconds", seconds}}
                     .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::cout << r.out << ": " << r.method;
  if (images > 0) std::cout << " on " << r.features;
  std::cout << ", " << model.info.bits << " bits, fingerprint " << model.info.fingerprint.substr(0, 12);
  if (images > 0) std::cout << ", learned from " << with_commas(images) << " images in " << human_seconds(seconds);
  std::cout << '\n';
}

int train_shallow(Arguments words) {
  ShallowRequest r;
  if (!parse_shallow(words, r)) return 0;
  if (r.dry_run) return 0;
  check_output_file("--out", r.out, Output::kModel);
  if (is_picture_hash(r.method)) {
    const Model model = picture_hash_model(r);
    write_model(real_file_system(), r.out, model);
    print(r, model, nullptr, 0);
    return 0;
  }
  if (r.protocol.empty()) r.data.prefer_train_part("learning from", r.quiet);
  catch_interrupts();
  Meter meter("train", r.quiet);
  const double began = now_seconds();
  const auto data = r.protocol.empty() ? r.data.open() : part_of_protocol(r.data, r.protocol, "train", r.draw_seed);
  const FeatureExtractor extractor = make_extractor(r, *data, meter.callback());
  const FeatureVectors features = features_of(extractor, data, r.threads, meter.callback());
  const double feature_seconds = now_seconds() - began;
  const auto hasher = fit_shallow(r, extractor, features.values, *features.images, meter.callback());
  const Model model =
      shallow_model(r, extractor, *hasher, *features.images, {feature_seconds, now_seconds() - began - feature_seconds});
  write_model(real_file_system(), r.out, model);
  meter.clear();
  if (features.unreadable > 0) warn_of_unreadable(features.unreadable, features.first_unreadable);
  print(r, model, &features, now_seconds() - began);
  return 0;
}

}  // namespace

int run_train(Arguments words) {
  if (asks_for_shallow(words)) return train_shallow(words);
  const std::string path = find_trainer();
  std::vector<std::string> arguments = {path};
  arguments.insert(arguments.end(), words.begin(), words.end());
  execv(path.c_str(), exec_arguments(arguments).data());
  fail(ErrorCode::kIo, path, " cannot be run: ", std::strerror(errno));
}

}  // namespace signet::cli
