#include "serve/code_map.h"

#include <algorithm>
#include <cmath>

#include "serve/labels.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Axis = std::vector<double>;

double bit_sign(const CodeMatrix& codes, std::size_t row, std::size_t k) {
  return codes.bit(row, static_cast<std::uint32_t>(k)) ? 1.0 : -1.0;
}

double dot(const Axis& a, const Axis& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

// Where an axis is null (all codes are equal, or there is no second direction) it stays null: all points get 0 there.
void normalise(Axis& axis) {
  const double length = std::sqrt(dot(axis, axis));
  for (double& value : axis) value = length > 1e-9 ? value / length : 0;
}

void remove_part(Axis& axis, const Axis& direction) {
  const double share = dot(axis, direction);
  for (std::size_t k = 0; k < axis.size(); ++k) axis[k] -= share * direction[k];
}

Axis mean_of(const CodeMatrix& codes) {
  Axis mean(codes.bits(), 0.0);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += bit_sign(codes, i, k);
  }
  for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(codes.size(), 1));
  return mean;
}

double project(const CodeMatrix& codes, std::size_t row, const Axis& mean, const Axis& axis) {
  double sum = 0;
  for (std::size_t k = 0; k < axis.size(); ++k) sum += (bit_sign(codes, row, k) - mean[k]) * axis[k];
  return sum;
}

// The main axis of the codes orthogonal to `other` (may be empty): v <- C v, C being the covariance, never formed.
Axis principal_axis(const CodeMatrix& sample, const Axis& mean, const Axis& other, std::uint64_t seed) {
  constexpr int kRounds = 40;
  Random random(seed);
  Axis axis(mean.size());
  for (double& value : axis) value = random.normal();
  for (int round = 0; round < kRounds; ++round) {
    if (!other.empty()) remove_part(axis, other);
    normalise(axis);
    Axis next(axis.size(), 0.0);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const double at = project(sample, i, mean, axis);
      for (std::size_t k = 0; k < next.size(); ++k) next[k] += at * (bit_sign(sample, i, k) - mean[k]);
    }
    axis = std::move(next);
  }
  if (!other.empty()) remove_part(axis, other);
  normalise(axis);
  return axis;
}

CodeMatrix every(const CodeMatrix& codes, std::size_t most) {
  if (codes.size() <= most) return codes;
  std::vector<std::size_t> rows(most);
  for (std::size_t i = 0; i < most; ++i) rows[i] = i * codes.size() / most;
  return codes.rows(rows);
}

void scale(std::vector<CodeMap::Point>& points, float CodeMap::Point::*axis) {
  float most = 0;
  for (const auto& point : points) most = std::max(most, std::abs(point.*axis));
  for (auto& point : points) point.*axis = most > 0 ? point.*axis / most : 0.0f;
}

}  // namespace

CodeMap make_code_map(const CollectionView& view, const CollectionInfo& info, const std::vector<std::uint64_t>& ids,
                      std::size_t count) {
  CodeMap map;
  map.labels = info.class_names;
  CodeMatrix codes(0, info.bits);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t id = ids[i * ids.size() / count];
    codes.append(view.code(id));
    const auto record = view.get(id);
    map.points.push_back({id, 0, 0, record && !record->labels.empty() ? record->labels.front() : -1});
  }
  // A sample suffices for two directions, and bounds the work for long codes.
  constexpr std::size_t kSampleBits = 400'000;
  const CodeMatrix sample = every(codes, std::clamp<std::size_t>(kSampleBits / info.bits, 200, 4000));
  const Axis mean = mean_of(sample);
  const Axis first = principal_axis(sample, mean, {}, 1);
  const Axis second = principal_axis(sample, mean, first, 2);
  for (std::size_t i = 0; i < map.points.size(); ++i) {
    map.points[i].x = static_cast<float>(project(codes, i, mean, first));
    map.points[i].y = static_cast<float>(project(codes, i, mean, second));
  }
  scale(map.points, &CodeMap::Point::x);
  scale(map.points, &CodeMap::Point::y);
  name_labels(map);
  return map;
}

}  // namespace signet
