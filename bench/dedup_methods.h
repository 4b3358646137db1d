#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/dedup_data.h"
#include "signet/code/code_matrix.h"
#include "signet/dedup/second_look.h"

namespace signet::bench {

// Codes of one kind, one an image and one a copy, and the radius that tune() chooses.
struct Codes {
  CodeMatrix images, copies;
  std::uint32_t radius = 0;
  std::optional<std::uint32_t> trusted = {};  // within it no second look is taken
};

// A way of finding copies: one or two kinds of codes (near by either is near), and whether near pairs get a second look.
struct Method {
  std::string name;
  std::vector<Codes> codes;
  bool second_look = false;
  double likeness = 0;
};

struct Looks {
  std::vector<Thumbnail> images, copies;
  const Thumbnail& of(std::size_t i) const { return i < images.size() ? images[i] : copies[i - images.size()]; }
};
Looks look_at_all(const Planted& planted);

// Chooses radius, trusted radius (as calibration does, for a set of this size) and likeness: the most copies found with a
// precision of at least `precision`, looking at nothing but images of the tuning half and their copies of the six kinds for
// tuning.
void tune(Method& method, const Planted& planted, const Looks& looks, double precision);

// Chooses the radii that calibration would choose in a set of `count` such images: of those that bring at most `budget` strangers
// an image, which grow with the set, the ones that find the most of the tuning copies.
void tune_for_size(Method& method, const Planted& planted, std::size_t count, double budget);

struct KindFigures {
  std::string kind;
  bool seen = false;       // a kind that tuning (and training) used
  bool held_back = false;  // sources of the half that neither has seen
  std::size_t copies = 0, found = 0;
  std::size_t near = 0;  // copies whose codes are near those of their source: what the second look may see
  double wrong = 0;      // false pairs, see run()
  double recall() const { return copies > 0 ? static_cast<double>(found) / static_cast<double>(copies) : 0; }
  double precision() const {
    return static_cast<double>(found) + wrong > 0 ? static_cast<double>(found) / (static_cast<double>(found) + wrong) : 1;
  }
};

struct Figures {
  std::vector<KindFigures> kinds;
  std::size_t found = 0, pairs = 0, pairs_of_originals = 0;  // right pairs, all pairs reported, those between two originals
  std::size_t looks = 0;                                     // second looks taken
  std::vector<std::pair<std::size_t, std::size_t>> wrong;    // the other pairs; copies count on behind the images
  double seconds = 0;                                        // grouping, second looks included
};

// Groups all images and all copies together, as `signet dedup` does, largest first. A reported pair (keeper, member) is right
// where one is the planted copy of the other. A wrong pair counts for the kind of each copy in it; one between two originals for
// every row by its share of the copies.
Figures run(const Method& method, const Planted& planted, const Looks& looks);

}  // namespace signet::bench
