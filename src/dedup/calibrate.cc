#include "signet/dedup/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/dedup/second_look.h"
#include "signet/index/build.h"

namespace signet {
namespace {

constexpr std::size_t kNeighbours = 32;  // of an image that are looked at, at least
constexpr double kCrowd = 8;             // the budget is an average: some images have several times as many neighbours

using Distances = std::array<std::uint32_t, 2>;  // by the first and by the second kind of codes
constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

// What a lack of memory or a fault of signet itself says is not of the picture: leaving the picture out would give another radius
// for the same seed, and hide the fault.
void pass_on_unless_of_picture(const Error& error) {
  if (error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kInternal) throw;
}

struct Copy {
  Distances distances;
  double likeness;
  Change change;
};

class Calibrator {
 public:
  Calibrator(const CalibrationSource& source, const CalibrationOptions& options) : source_(source), options_(options) {}

  Calibration run() {
    const std::size_t count = source_.codes->size();
    if (count < 2)
      fail(ErrorCode::kInvalidArgument, "a radius cannot be calibrated on ", count, " images; at least two are needed");
    if (source_.more_codes != nullptr && source_.more_codes->size() != count)
      fail(ErrorCode::kInvalidArgument, "calibration needs as many codes of the second kind as of the first (", count, ")");
    result_.images = count;
    make_copies(draw(count));
    if (sample_.empty())
      fail(ErrorCode::kInvalidArgument, "none of the images drawn for calibration can be read, altered and encoded: ", reason_);
    result_.sample = sample_.size();
    result_.copies = copies_.size();
    result_.resolution = 3.0 / static_cast<double>(sample_.size());
    choose_likeness();
    find_strangers();
    draw_curve();
    result_.trusted = trusted(0, result_.radius);
    if (result_.more_radius) result_.more_trusted = trusted(1, *result_.more_radius);
    return std::move(result_);
  }

 private:
  std::vector<std::size_t> draw(std::size_t count) const {
    std::vector<std::size_t> all(count);
    std::iota(all.begin(), all.end(), std::size_t{0});
    Random(mix_seed(options_.seed, 0x63616c)).shuffle(std::span(all));
    all.resize(std::min(count, options_.sample));
    return all;
  }

  void make_copies(const std::vector<std::size_t>& drawn) {
    for (std::size_t s = 0; s < drawn.size(); ++s) {
      report("make copies", s, drawn.size());
      try {
        const Image original = source_.load(drawn[s]);
        const Thumbnail look = make_thumbnail(original);
        const std::vector<Copy> copies = copies_of(drawn[s], original, look);  // all kinds or none
        copies_.insert(copies_.end(), copies.begin(), copies.end());
        sample_.push_back(drawn[s]);
        looks_.emplace(drawn[s], look);
      } catch (const Error& error) {
        pass_on_unless_of_picture(error);
        if (reason_.empty()) reason_ = error.what();
      }
    }
  }

  // The known copies of one image, a kind each. Small ones are encoded all at once, as a network takes several in less time than
  // one by one; of a large scan there is one at a time, because twelve in full size are more memory than the scan itself needed
  // where it was encoded, and changing it takes far longer than encoding it.
  std::vector<Copy> copies_of(std::size_t item, const Image& original, const Thumbnail& look) const {
    std::vector<Copy> copies;
    std::vector<Image> held;
    std::size_t bytes = 0;
    for (std::size_t k = 0; k < kChangeKinds; ++k) {
      held.push_back(alter(original, static_cast<Change>(k), mix_seed(options_.seed, item)));
      bytes += held.back().pixels.size();
      if (bytes < options_.held_bytes && k + 1 < kChangeKinds) continue;
      const CodeMatrix codes = source_.encode(held);
      const CodeMatrix more = source_.more_codes != nullptr ? source_.more_encode(held) : CodeMatrix();
      for (std::size_t h = 0; h < held.size(); ++h)
        copies.push_back({{hamming_distance(codes.row(h), source_.codes->row(item)),
                           more.size() > 0 ? hamming_distance(more.row(h), source_.more_codes->row(item)) : kFar},
                          likeness(look, make_thumbnail(held[h])),
                          static_cast<Change>(copies.size())});
      held.clear();
      bytes = 0;
    }
    return copies;
  }

  // The threshold that lets `copies_kept` of the known copies pass, or kLeastLikeness.
  void choose_likeness() {
    std::vector<double> all;
    for (const Copy& copy : copies_) all.push_back(copy.likeness);
    std::sort(all.begin(), all.end());
    const double kept = all[static_cast<std::size_t>((1 - options_.copies_kept) * static_cast<double>(all.size() - 1))];
    result_.likeness = std::max(kept, kLeastLikeness);
    const auto passing = all.end() - std::lower_bound(all.begin(), all.end(), result_.likeness);
    result_.passing = static_cast<double>(passing) / static_cast<double>(all.size());
  }

  const Thumbnail* look_at(std::size_t item) {
    const auto known = looks_.find(item);
    if (known != looks_.end()) return &known->second;
    try {
      return &looks_.emplace(item, make_thumbnail(source_.load(item))).first->second;
    } catch (const Error& error) {
      pass_on_unless_of_picture(error);
      return nullptr;
    }
  }

  Distances distances(std::size_t a, std::size_t b) const {
    const CodeMatrix *first = source_.codes, *more = source_.more_codes;
    return {hamming_distance(first->row(a), first->row(b)),
            more == nullptr ? kFar : hamming_distance(more->row(a), more->row(b))};
  }

  // Distances of the sample's nearest other images that are no copies, by either kind of codes.
  void find_strangers() {
    std::map<std::pair<std::size_t, std::size_t>, bool> known;
    reach_[0] = find_strangers(*source_.codes, known);
    if (source_.more_codes != nullptr) reach_[1] = find_strangers(*source_.more_codes, known);
    for (const auto& [pair, stranger] : known)
      if (stranger) strangers_.push_back(distances(pair.first, pair.second));
  }

  // Looks at pairs by their distance in these codes, the nearest first, until there are so many strangers that no radius beyond
  // is of use. Returns the distance up to which all were looked at.
  std::uint32_t find_strangers(const CodeMatrix& codes, std::map<std::pair<std::size_t, std::size_t>, bool>& known) {
    const auto index = build_index(source_of(std::shared_ptr<const CodeMatrix>(std::shared_ptr<void>(), &codes)));
    SearchOptions search;
    search.k = std::max(kNeighbours, static_cast<std::size_t>(kCrowd * options_.budget)) + 1;
    search.threads = options_.threads;
    const auto hits = index->search(codes.rows(sample_), search).hits;
    std::vector<std::vector<std::pair<std::size_t, std::size_t>>> by_distance(codes.bits() / 2 + 1);
    for (std::size_t s = 0; s < sample_.size(); ++s)
      for (const Hit& hit : hits[s])
        if (hit.id != sample_[s] && hit.distance < by_distance.size()) by_distance[hit.distance].emplace_back(sample_[s], hit.id);
    double found = 0;
    const double enough = (2 * options_.budget + 1) * static_cast<double>(sample_.size());
    for (std::uint32_t distance = 0; distance < by_distance.size(); ++distance) {
      for (const auto& pair : by_distance[distance]) {
        const auto [place, fresh] = known.try_emplace(pair, false);
        if (fresh) place->second = is_stranger(pair.first, pair.second);
        found += place->second ? 1 : 0;
      }
      report("compare non-copies", std::min(static_cast<std::size_t>(found), static_cast<std::size_t>(enough)),
             static_cast<std::size_t>(enough));
      if (found > enough) return distance;
    }
    return codes.bits() / 2;
  }

  bool is_stranger(std::size_t a, std::size_t b) {
    const Thumbnail *own = look_at(a), *other = look_at(b);
    return own != nullptr && other != nullptr && likeness(*own, *other) < result_.likeness;
  }

  static bool near(const Distances& distances, std::uint32_t radius, std::optional<std::uint32_t> more_radius) {
    return distances[0] <= radius || (more_radius && distances[1] <= *more_radius);
  }

  double false_pairs(std::uint32_t radius, std::optional<std::uint32_t> more_radius) const {
    const auto count =
        std::count_if(strangers_.begin(), strangers_.end(), [&](const Distances& d) { return near(d, radius, more_radius); });
    return static_cast<double>(count) / static_cast<double>(sample_.size());
  }

  CalibrationPoint point_at(std::uint32_t radius, std::optional<std::uint32_t> more_radius) const {
    CalibrationPoint point;
    point.radius = radius, point.more_radius = more_radius;
    point.false_pairs = false_pairs(radius, more_radius);
    std::vector<double> found(kChangeKinds, 0);
    for (const Copy& copy : copies_)
      found[static_cast<std::size_t>(copy.change)] += near(copy.distances, radius, more_radius) ? 1 : 0;
    for (const double f : found) {
      point.recall_by_kind.push_back(f / static_cast<double>(sample_.size()));
      point.recall += f / static_cast<double>(copies_.size());
    }
    return point;
  }

  void draw_curve() {
    double most = -1;
    std::optional<std::uint32_t> more;
    if (source_.more_codes != nullptr) more = reach_[1];
    for (std::uint32_t radius = 0; radius <= reach_[0]; ++radius) {
      // The largest second radius that the budget leaves room for; it shrinks as the first one grows.
      while (more && false_pairs(radius, more) > options_.budget) more = *more > 0 ? std::optional(*more - 1) : std::nullopt;
      const CalibrationPoint& point = result_.curve.emplace_back(point_at(radius, more));
      if (point.false_pairs <= options_.budget && point.recall >= most)
        most = point.recall, result_.radius = radius, result_.more_radius = more;
    }
  }

  // By one kind of codes; never beyond its radius.
  std::optional<std::uint32_t> trusted(std::size_t kind, std::uint32_t radius) const {
    std::vector<double> within(reach_[kind] + 1, 0);
    for (const Distances& stranger : strangers_)
      for (std::uint32_t r = stranger[kind]; r <= reach_[kind]; ++r) within[r] += 1;
    const auto found = trusted_radius(within, options_.trust_budget * static_cast<double>(sample_.size()));
    return found ? std::optional(std::min(*found, radius)) : std::nullopt;
  }

  void report(const char* stage, std::size_t done, std::size_t total) const {
    if (options_.progress && !options_.progress({stage, done, total, ""})) fail(ErrorCode::kCancelled, "calibration was stopped");
  }

  const CalibrationSource& source_;
  const CalibrationOptions& options_;
  Calibration result_;
  std::vector<std::size_t> sample_;
  std::map<std::size_t, Thumbnail> looks_;
  std::vector<Copy> copies_;
  Distances reach_{};  // up to which strangers are known
  std::vector<Distances> strangers_;
  std::string reason_;
};

}  // namespace

Calibration calibrate(const CalibrationSource& source, const CalibrationOptions& options) {
  return Calibrator(source, options).run();
}

std::optional<std::uint32_t> trusted_radius(std::span<const double> within, double allowed) {
  constexpr double kFew = 10, kMany = 100;
  const auto first_with = [&](double count) {
    return std::find_if(within.begin(), within.end(), [&](double w) { return w >= count; });
  };
  const auto few = first_with(kFew), many = first_with(kMany);
  if (many == within.end() || many == few) return std::nullopt;
  const double bits = std::log(*few / allowed) * static_cast<double>(many - few) / std::log(*many / *few);
  double radius = static_cast<double>(few - within.begin()) - std::ceil(std::max(bits, 0.0));
  while (radius >= 0 && within[static_cast<std::size_t>(radius)] > allowed) --radius;
  return radius >= 0 ? std::optional(static_cast<std::uint32_t>(radius)) : std::nullopt;
}

std::string calibration_json(const Calibration& calibration, const CalibrationOptions& options) {
  using Json = nlohmann::ordered_json;
  const auto or_null = [](const std::optional<std::uint32_t>& radius) { return radius ? Json(*radius) : Json(); };
  Json curve = Json::array();
  for (const CalibrationPoint& point : calibration.curve) {
    Json kinds = Json::object();
    for (std::size_t k = 0; k < point.recall_by_kind.size(); ++k)
      kinds[change_name(static_cast<Change>(k))] = point.recall_by_kind[k];
    curve.push_back({{"radius", point.radius},
                     {"more_radius", or_null(point.more_radius)},
                     {"recall", point.recall},
                     {"false_pairs", point.false_pairs},
                     {"recall_by_kind", std::move(kinds)}});
  }
  return Json{{"radius", calibration.radius},
              {"more_radius", or_null(calibration.more_radius)},
              {"trusted", or_null(calibration.trusted)},
              {"more_trusted", or_null(calibration.more_trusted)},
              {"likeness", calibration.likeness},
              {"passing", calibration.passing},
              {"budget", options.budget},
              {"copies_kept", options.copies_kept},
              {"images", calibration.images},
              {"sample", calibration.sample},
              {"copies", calibration.copies},
              {"resolution", calibration.resolution},
              {"seed", options.seed},
              {"curve", std::move(curve)}}
      .dump();
}

}  // namespace signet
