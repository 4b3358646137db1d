#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signet/dataset/dataset.h"
#include "signet/image/alter.h"

namespace signet::bench {

struct PlantedCopy {
  std::size_t source;  // position in `images`
  Change change;
  Image image;
  bool held_back;  // its source lies in the half that neither training nor tuning has seen
};

// Real images without natural twins, and copies of some of them.
struct Planted {
  std::vector<Image> images;
  std::vector<std::string> keys;    // one an image
  std::vector<bool> held_back;      // one an image: in the half that is held back
  std::vector<PlantedCopy> copies;  // kinds in turn
  std::string describe;
  std::size_t read = 0, twins = 0;  // images of the data; those left out because another one is (nearly) the same
  std::size_t by_list = 0;          // of the twins, those that only the list names
};

// Takes `count` images of the data (all parts together), drawn by the seed, and plants `copies` copies. Twins are found without
// any of the methods measured: the grey middle of one, or the whole of it made smaller, lies somewhere in the other and
// correlates there by kTwin or more.
// `same`, where it is not empty, is a file of what somebody has looked at: a line holds the keys of images that show the same
// picture, with tabs between; all but one of a line are twins too.
inline constexpr float kTwin = 0.95f;
Planted plant(const std::string& path, std::size_t count, std::size_t copies, std::uint64_t seed, const std::string& same = "");

// The images of the tuning half, as a data set without labels, for training.
std::shared_ptr<const Dataset> tuning_half(const Planted& planted);

}  // namespace signet::bench
