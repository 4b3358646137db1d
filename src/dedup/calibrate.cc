#include "signet/dedup/calibrate.h"

#include <algorithm>
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

constexpr std::size_t kNeighbours = 32;  // of an image that are looked at: more than the budget will ever allow

struct Copy {
  std::uint32_t distance;
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
    result_.images = count;
    make_copies(draw(count));
    if (sample_.empty()) fail(ErrorCode::kInvalidArgument, "none of the images drawn for calibration can be read: ", reason_);
    result_.sample = sample_.size();
    result_.copies = copies_.size();
    result_.resolution = 3.0 / static_cast<double>(sample_.size());
    choose_likeness();
    find_strangers();
    draw_curve();
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
      Image original;
      try {
        original = source_.load(drawn[s]);
      } catch (const Error& error) {
        if (reason_.empty()) reason_ = error.what();
        continue;
      }
      std::vector<Image> changed;
      for (std::size_t k = 0; k < kChangeKinds; ++k)
        changed.push_back(alter(original, static_cast<Change>(k), mix_seed(options_.seed, drawn[s])));
      const CodeMatrix codes = source_.encode(changed);
      const Thumbnail look = make_thumbnail(original);
      for (std::size_t k = 0; k < kChangeKinds; ++k)
        copies_.push_back({hamming_distance(codes.row(k), source_.codes->row(drawn[s])),
                           likeness(look, make_thumbnail(changed[k])), static_cast<Change>(k)});
      sample_.push_back(drawn[s]);
      looks_.emplace(drawn[s], look);
    }
  }

  // The threshold that lets `copies_kept` of the known copies pass.
  void choose_likeness() {
    std::vector<double> all;
    for (const Copy& copy : copies_) all.push_back(copy.likeness);
    std::sort(all.begin(), all.end());
    result_.likeness = all[static_cast<std::size_t>((1 - options_.copies_kept) * static_cast<double>(all.size() - 1))];
  }

  const Thumbnail* look_at(std::size_t item) {
    const auto known = looks_.find(item);
    if (known != looks_.end()) return &known->second;
    try {
      return &looks_.emplace(item, make_thumbnail(source_.load(item))).first->second;
    } catch (const Error&) {
      return nullptr;
    }
  }

  // Distances of the sample's nearest other images that are no copies.
  void find_strangers() {
    const auto index = build_index(source_of(std::shared_ptr<const CodeMatrix>(std::shared_ptr<void>(), source_.codes)));
    SearchOptions search;
    search.k = kNeighbours + 1;
    search.threads = options_.threads;
    const auto hits = index->search(source_.codes->rows(sample_), search).hits;
    for (std::size_t s = 0; s < sample_.size(); ++s) {
      report("compare non-copies", s, sample_.size());
      const Thumbnail* own = look_at(sample_[s]);
      for (const Hit& hit : hits[s]) {
        if (hit.id == sample_[s]) continue;
        const Thumbnail* other = look_at(hit.id);
        if (own == nullptr || other == nullptr || likeness(*own, *other) >= result_.likeness) continue;
        strangers_.push_back(hit.distance);
      }
    }
  }

  void draw_curve() {
    const std::uint32_t bits = source_.codes->bits();
    const auto sample = static_cast<double>(sample_.size());
    for (std::uint32_t radius = 0; radius <= bits / 2; ++radius) {
      CalibrationPoint point;
      point.radius = radius;
      std::vector<double> found(kChangeKinds, 0);
      for (const Copy& copy : copies_) found[static_cast<std::size_t>(copy.change)] += copy.distance <= radius ? 1 : 0;
      for (const double f : found) {
        point.recall_by_kind.push_back(f / sample);
        point.recall += f / static_cast<double>(copies_.size());
      }
      for (const std::uint32_t d : strangers_) point.false_pairs += d <= radius ? 1 / sample : 0;
      if (point.false_pairs <= options_.budget) result_.radius = radius;
      result_.curve.push_back(point);
      if (point.false_pairs > 10 * options_.budget + 1) break;  // beyond use
    }
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
  std::vector<std::uint32_t> strangers_;
  std::string reason_;
};

}  // namespace

Calibration calibrate(const CalibrationSource& source, const CalibrationOptions& options) {
  return Calibrator(source, options).run();
}

std::string calibration_json(const Calibration& calibration, const CalibrationOptions& options) {
  using Json = nlohmann::ordered_json;
  Json curve = Json::array();
  for (const CalibrationPoint& point : calibration.curve) {
    Json kinds = Json::object();
    for (std::size_t k = 0; k < point.recall_by_kind.size(); ++k)
      kinds[change_name(static_cast<Change>(k))] = point.recall_by_kind[k];
    curve.push_back({{"radius", point.radius},
                     {"recall", point.recall},
                     {"false_pairs", point.false_pairs},
                     {"recall_by_kind", std::move(kinds)}});
  }
  return Json{{"radius", calibration.radius},       {"likeness", calibration.likeness},     {"budget", options.budget},
              {"copies_kept", options.copies_kept}, {"images", calibration.images},         {"sample", calibration.sample},
              {"copies", calibration.copies},       {"resolution", calibration.resolution}, {"seed", options.seed},
              {"curve", std::move(curve)}}
      .dump();
}

}  // namespace signet
