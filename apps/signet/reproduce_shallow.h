#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "apps/signet/eval_session.h"
#include "apps/signet/shallow.h"

namespace signet::cli {

// What the features of a request depend on: requests of one key share them.
std::string features_key(const ShallowRequest& request);

// Learns the shallow methods of a plan and turns its images into their codes. Features are computed once for all methods and code
// lengths that share them, which is what takes the time; the last set is kept.
class ShallowBench {
 public:
  ShallowBench(std::size_t threads, bool quiet) : threads_(threads), quiet_(quiet) {}

  // Learns what the words of `signet train` ask for into the model file of --out; its numbers as `signet train --json` names
  // them.
  nlohmann::json learn(const std::vector<std::string>& words);

  // Codes and outputs of a part for the model learned last: the method applied to the kept features, or the model file itself
  // where these are not the same. Throws kInternal where they should be and are not, on a sample of the images, beyond rounding.
  EncodedData encode(const Encoder& encoder, const Dataset& data, const std::string& root);

  // What EvalArguments::overlaps keeps, for one draw of the images.
  std::map<std::string, std::vector<std::string>>& overlaps(std::uint64_t seed) { return overlaps_[seed]; }

 private:
  struct Features {
    std::string key;
    FeatureExtractor extractor;
    double seconds = 0;                               // to fit the extractor and to read the training images
    std::shared_ptr<const Dataset> train;             // images that the plan's protocol trains on
    std::vector<float> values;                        // of `train`
    std::map<std::string, std::vector<float>> parts;  // of whole parts, by identity
    double part_seconds = 0;
    std::size_t part_images = 0;
  };
  const Features& features_for(const ShallowRequest& request);
  const std::vector<float>& part_values(const Dataset& data);
  void compare_with_model(const Encoder& encoder, const Dataset& data, std::span<const float> outputs) const;

  std::size_t threads_;
  bool quiet_;
  Features features_;
  std::unique_ptr<Hasher> hasher_;  // null: the model file encodes by itself
  std::map<std::uint64_t, std::map<std::string, std::vector<std::string>>> overlaps_;
};

}  // namespace signet::cli
