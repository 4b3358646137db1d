#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/image/alter.h"
#include "signet/image/image.h"

namespace signet {

// How near is near? Measured on the user's own images, instead of a number that fits somebody else's.
//
// Known copies: `sample` images, drawn by the seed, are changed in every one of the twelve ways of image/alter.h and encoded;
// their distances to the code of the original, and their likeness to it (second_look.h), say what a copy looks like here. Known
// non-copies: each of these images with every other image of the set, except pairs whose pictures are as alike as copies are:
// those may be real duplicates, which is why somebody runs dedup.
//
// Where there are two kinds of codes, a pair is near that is near by either, and the budget is of both together: of all pairs of
// radii that keep it, those are chosen that find the most known copies.
//
// Pairs so near that strangers are practically never that near are trusted: a second look could only lose them.

// No threshold that is calibrated lies below this, however little the known copies look like their originals: with half of the
// differences between neighbouring pixels unexplained, a picture is called no copy. Of thin lines on white, of pages of text and
// of empty pages many altered copies have a likeness of 0, as nearly all strangers do: a threshold that they reach lets every
// pair pass. Photographs and small pictures of things calibrate to more (docs/dedup.md has figures).
inline constexpr double kLeastLikeness = 0.5;

struct CalibrationOptions {
  double budget = 0.01;         // false pairs an image that codes within the radius may bring, on average, in this set
  double copies_kept = 0.98;    // share of the known copies that the second look must let pass; fewer by kLeastLikeness
  double trust_budget = 0.001;  // false pairs an image that believing the nearest pairs without a look may bring, a kind of codes
  std::size_t sample = 300;     // images; fewer where the set is smaller
  std::uint64_t seed = 1;
  std::size_t threads = 0;
  std::size_t held_bytes = std::size_t{64} << 20;  // of changed pictures that wait to be encoded together; changes no result
  ProgressFn progress;
};

struct CalibrationPoint {
  std::uint32_t radius = 0;
  std::optional<std::uint32_t> more_radius;  // two kinds: the radius of the second that goes best with this one; none fits: empty
  double recall = 0;                         // share of known copies within the radius, all kinds
  std::vector<double> recall_by_kind;        // kChangeKinds entries
  double false_pairs = 0;                    // an image, on average: other images within the radius that are no copies
};

struct Calibration {
  std::vector<CalibrationPoint> curve;  // radius 0, 1, ... up to where it does not matter any more
  std::uint32_t radius = 0;             // the largest whose false pairs are within the budget
  std::optional<std::uint32_t> more_radius;
  std::optional<std::uint32_t> trusted,
      more_trusted;     // pairs within these need no second look, see trusted_radius(); none: empty
  double likeness = 0;  // threshold of the second look; kLeastLikeness where `copies_kept` would have asked for less
  double passing = 0;   // share of the known copies that reach it: less than `copies_kept` where it is kLeastLikeness
  std::size_t images = 0, sample = 0, copies = 0;
  double resolution = 0;  // false pairs an image cannot be told from 0 below this: 3 / sample (95 %, rule of three)
};

// What the images are and how they become codes. load and encode are called from one thread. An image that one of them, or a
// change, throws an Error for is left out of the sample; kBusy (no memory), kCancelled and kInternal end the calibration.
struct CalibrationSource {
  const CodeMatrix* codes = nullptr;  // of all images of the set
  std::function<Image(std::size_t)> load;
  std::function<CodeMatrix(std::span<const Image>)> encode;  // codes of changed pictures, as those of the set were made
  const CodeMatrix* more_codes = nullptr;                    // of another kind, of the same images; null: none
  std::function<CodeMatrix(std::span<const Image>)> more_encode;
};

// Throws kInvalidArgument for fewer than two images, or where not one of the sample can be read, changed and encoded. The same
// seed gives the same result. Memory: one picture of the sample and one changed copy of it, or `held_bytes` of copies where they
// are small; and a thumbnail of 4 kB for each image that was looked at.
Calibration calibrate(const CalibrationSource& source, const CalibrationOptions& options);

// The largest radius within which `allowed` strangers or fewer are expected, though a sample seldom meets that few: their number
// is drawn on downwards from where there are ten of them and a hundred, as a geometric series. Binomial tails fall faster than
// that, so the answer is on the safe side; strangers that were met count as they are. within[r]: the strangers at distance 0 to
// r, not falling with r. Empty where not even equal codes can be trusted, or where there are too few strangers to tell.
std::optional<std::uint32_t> trusted_radius(std::span<const double> within, double allowed);

// As the plan keeps it: an object with radius, more_radius, trusted, more_trusted, likeness, passing, budget, sample, seed and
// the curve.
std::string calibration_json(const Calibration& calibration, const CalibrationOptions& options);

}  // namespace signet
