#include "learn/target_codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "learn/labels.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Code = std::vector<std::int8_t>;

constexpr double kMostDraws = 1000, kDrawWork = 5e7;  // of bits compared
constexpr int kSweeps = 20, kFlipSweeps = 50;

std::int8_t sign_of(bool positive) { return static_cast<std::int8_t>(positive ? 1 : -1); }

double choose(std::size_t n, std::size_t k) {
  double product = 1;
  for (std::size_t i = 1; i <= k; ++i) product *= static_cast<double>(n - k + i) / static_cast<double>(i);
  return std::round(product);  // infinity for long codes: more than enough
}

double codes_there_are(CentreKind kind, std::size_t bits) {
  if (kind == CentreKind::kBernoulli) return std::pow(2.0, static_cast<double>(bits));
  return (bits % 2 == 1 ? 2 : 1) * choose(bits, bits / 2);
}

Code random_code(CentreKind kind, std::size_t bits, Random& random) {
  Code code(bits, -1);
  if (kind == CentreKind::kBernoulli) {
    for (std::int8_t& bit : code) bit = sign_of(random.below(2) == 1);
    return code;
  }
  const std::size_t ones = bits / 2 + (bits % 2 == 1 ? random.below(2) : 0);
  std::fill_n(code.begin(), ones, std::int8_t{1});
  random.shuffle(std::span(code));
  return code;
}

SignRows draw(CentreKind kind, std::size_t classes, std::size_t bits, Random& random) {
  SignRows rows{bits, {}};
  if (kind == CentreKind::kHadamard) {  // entry (i, j) of Sylvester's matrix is -1 to the number of common bits of i and j
    std::vector<std::size_t> order(2 * bits);
    std::iota(order.begin(), order.end(), std::size_t{0});
    random.shuffle(std::span(order));
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t j = 0; j < bits; ++j)
        rows.values.push_back(sign_of((std::popcount(order[c] % bits & j) % 2 == 0) == (order[c] < bits)));
    return rows;
  }
  std::set<Code> seen;
  while (seen.size() < classes) {
    Code code = random_code(kind, bits, random);
    if (!seen.insert(code).second) continue;
    rows.values.insert(rows.values.end(), code.begin(), code.end());
  }
  return rows;
}

std::size_t constant_bits(const SignRows& rows) {
  std::size_t constant = 0;
  for (std::size_t k = 0; k < rows.bits; ++k) {
    bool same = true;
    for (std::size_t i = 1; i < rows.size() && same; ++i) same = rows.row(i)[k] == rows.row(0)[k];
    constant += same ? 1 : 0;
  }
  return constant;
}

std::size_t least_distance(const SignRows& rows) {
  std::size_t least = rows.bits;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::size_t distance = 0;
      for (std::size_t k = 0; k < rows.bits; ++k) distance += rows.row(i)[k] != rows.row(j)[k] ? 1 : 0;
      least = std::min(least, distance);
    }
  }
  return least;
}

// The objective of descent_codes, one coordinate at a time. residual_ij = S_ij - h_i.h_j / K.
class Descent {
 public:
  Descent(std::span<const std::vector<std::int32_t>> sets, std::span<const std::size_t> counts, std::size_t bits,
          std::uint64_t seed)
      : n_(sets.size()), bits_(bits), codes_(sets.size() * bits), residual_(sets.size() * sets.size()) {
    const double images = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
    for (const std::size_t count : counts) weight_.push_back(static_cast<double>(count) / images);
    Random random(mix_seed(seed, 0x636e6e68));
    for (double& h : codes_) h = 2 * random.uniform() - 1;
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j) residual_[i * n_ + j] = share_label(sets[i], sets[j]) ? 1 : -1;
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j)
        for (std::size_t k = 0; k < bits_; ++k) residual_[i * n_ + j] -= at(i, k) * at(j, k) / k_();
  }

  SignRows run() {
    for (int sweep = 0; sweep < kSweeps; ++sweep)
      for (std::size_t k = 0; k < bits_; ++k)
        for (std::size_t i = 0; i < n_; ++i) move(i, k, newton(i, k));
    for (std::size_t k = 0; k < bits_; ++k)
      for (std::size_t i = 0; i < n_; ++i) move(i, k, at(i, k) >= 0 ? 1 : -1);
    bool changed = true;
    for (int sweep = 0; sweep < kFlipSweeps && changed; ++sweep) changed = flip_all();
    SignRows rows{bits_, {}};
    for (const double h : codes_) rows.values.push_back(sign_of(h >= 0));
    return rows;
  }

 private:
  double k_() const { return static_cast<double>(bits_); }
  double at(std::size_t i, std::size_t k) const { return codes_[i * bits_ + k]; }

  // Gradient of the sum in h_ik over 4 w_i / K, and the part of the curvature that is never negative.
  double newton(std::size_t i, std::size_t k) const {
    double gradient = 0, curvature = 2 * weight_[i] * at(i, k) * at(i, k);
    for (std::size_t j = 0; j < n_; ++j) {
      gradient -= weight_[j] * residual_[i * n_ + j] * at(j, k);
      if (j != i) curvature += weight_[j] * at(j, k) * at(j, k);
    }
    const double step = curvature > 1e-12 ? gradient * k_() / curvature : 0;
    return std::clamp(at(i, k) - step, -1.0, 1.0);
  }

  // With all codes at their signs flipping h_ik adds 2 h_ik h_jk / K to every residual_ij, j != i, and leaves residual_ii.
  double change_of_flip(std::size_t i, std::size_t k) const {
    double change = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      if (j == i) continue;
      const double add = 2 * at(i, k) * at(j, k) / k_();
      change += weight_[j] * add * (2 * residual_[i * n_ + j] + add);
    }
    return change;
  }
  bool flip_all() {
    bool changed = false;
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t k = 0; k < bits_; ++k) {
        if (change_of_flip(i, k) > -1e-9) continue;
        move(i, k, -at(i, k));
        changed = true;
      }
    }
    return changed;
  }

  void move(std::size_t i, std::size_t k, double to) {
    const double by = to - at(i, k);
    if (by == 0) return;
    for (std::size_t j = 0; j < n_; ++j) {
      if (j == i) continue;
      residual_[i * n_ + j] -= by * at(j, k) / k_();
      residual_[j * n_ + i] = residual_[i * n_ + j];
    }
    residual_[i * n_ + i] -= (to * to - at(i, k) * at(i, k)) / k_();
    codes_[i * bits_ + k] = to;
  }

  std::size_t n_, bits_;
  std::vector<double> weight_, codes_, residual_;
};

}  // namespace

SignRows class_centres(CentreKind kind, std::size_t classes, std::size_t bits, std::uint64_t seed, const std::string& method) {
  if (kind == CentreKind::kHadamard && (!std::has_single_bit(bits) || classes > 2 * bits)) kind = CentreKind::kBalanced;
  const double there_are = codes_there_are(kind, bits);
  if (kind != CentreKind::kHadamard && there_are < static_cast<double>(classes))
    fail(ErrorCode::kInvalidArgument, "--loss ", method, ": --bits ", bits, " gives ", there_are, " different centres",
         kind == CentreKind::kBalanced ? " with half of their bits set" : "", ", and there are ", classes,
         " classes; more bits are needed");
  const double work = static_cast<double>(classes) * static_cast<double>(classes) * static_cast<double>(bits);
  const auto draws = static_cast<std::size_t>(std::clamp(kDrawWork / work, 1.0, kMostDraws));
  Random random(mix_seed(seed, 0x63656e74726573));
  SignRows best;
  std::size_t fewest = std::numeric_limits<std::size_t>::max(), widest = 0;
  for (std::size_t i = 0; i < draws; ++i) {
    SignRows rows = draw(kind, classes, bits, random);
    const std::size_t constant = constant_bits(rows);
    if (constant > fewest) continue;
    const std::size_t least = least_distance(rows);
    if (constant == fewest && least <= widest) continue;
    fewest = constant, widest = least;
    best = std::move(rows);
  }
  return best;
}

SignRows majority_codes(const SignRows& centres, std::span<const std::vector<std::int32_t>> sets, std::uint64_t seed) {
  Random random(mix_seed(seed, 0x6576656e));
  const Code even = random_code(CentreKind::kBernoulli, centres.bits, random);
  SignRows codes{centres.bits, {}};
  for (const std::vector<std::int32_t>& set : sets) {
    for (std::size_t k = 0; k < centres.bits; ++k) {
      int sum = 0;
      for (const std::int32_t label : set) sum += centres.row(static_cast<std::size_t>(label))[k];
      codes.values.push_back(sum == 0 ? even[k] : sign_of(sum > 0));
    }
  }
  return codes;
}

SignRows descent_codes(std::span<const std::vector<std::int32_t>> sets, std::span<const std::size_t> counts, std::size_t bits,
                       std::uint64_t seed) {
  if (sets.size() > kMostLabelSets)
    fail(ErrorCode::kInvalidArgument, "--loss cnnh: the images have ", sets.size(),
         " different sets of labels; target codes are computed for at most ", kMostLabelSets);
  return Descent(sets, counts, bits, seed).run();
}

}  // namespace signet
