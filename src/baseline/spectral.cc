// Spectral hashing: the smallest eigenfunctions of a uniform box around the data.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

#include "baseline/linear_algebra.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

struct Wave {
  double omega = 0;  // m pi / range
  Eigen::Index direction = 0;
};

// The `count` smallest frequencies; equal ones by direction. None where no direction has a range.
std::vector<Wave> slowest(const VectorXd& range, std::size_t count) {
  std::vector<Wave> waves;
  for (Eigen::Index j = 0; j < range.size(); ++j) {
    if (range[j] <= 0) continue;
    for (std::size_t m = 1; m <= count; ++m) waves.push_back({static_cast<double>(m) * std::numbers::pi / range[j], j});
  }
  std::sort(waves.begin(), waves.end(),
            [](const Wave& a, const Wave& b) { return std::tie(a.omega, a.direction) < std::tie(b.omega, b.direction); });
  waves.resize(std::min(waves.size(), count));
  return waves;
}

class SpectralHasher final : public Hasher {
 public:
  SpectralHasher(const MatrixXd& directions, const VectorXd& phase, const VectorXd& omega)
      : directions_(directions.cast<float>()), phase_(phase.cast<float>()), omega_(omega.cast<float>()) {}
  const std::string& method() const noexcept override { return method_; }
  std::uint32_t bits() const noexcept override { return static_cast<std::uint32_t>(omega_.size()); }
  std::size_t input_size() const noexcept override { return static_cast<std::size_t>(directions_.rows()); }
  int append_to(Network& network, int input) const override {
    const RowMatrix weight = (directions_.array().rowwise() * omega_.transpose().array()).matrix().transpose();
    const VectorXf bias = kHalfPi - phase_.array() * omega_.array();
    Layer sine;
    sine.kind = LayerKind::kSine;
    sine.input =
        append_linear(network, input, {weight.data(), weight.data() + weight.size()}, {bias.data(), bias.data() + bias.size()});
    network.layers.push_back(std::move(sine));
    return static_cast<int>(network.layers.size()) - 1;
  }
  std::vector<float> outputs(std::span<const float> values) const override {
    const Features x = checked_values(method_, values, input_size());
    std::vector<float> out(static_cast<std::size_t>(x.rows() * omega_.size()));
    Eigen::Map<RowMatrix> result(out.data(), x.rows(), omega_.size());
    result = (x * directions_).rowwise() - phase_.transpose();
    result.array() = ((result.array().rowwise() * omega_.transpose().array()) + kHalfPi).sin();
    return out;
  }

 private:
  static constexpr float kHalfPi = static_cast<float>(std::numbers::pi / 2);
  std::string method_ = "sh";
  MatrixXf directions_;     // input_size x bits: a bit's own direction
  VectorXf phase_, omega_;  // min_j with the mean in it, m pi / R_j
};

}  // namespace

std::unique_ptr<Hasher> fit_sh(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("sh", set, options);
  const Principal p = principal("sh", x);
  const Eigen::Index dims = std::min<Eigen::Index>(options.bits, p.variance.size());
  const MatrixXf v = x * p.directions.leftCols(dims).cast<float>();
  const VectorXd low = v.colwise().minCoeff().transpose().cast<double>(),
                 high = v.colwise().maxCoeff().transpose().cast<double>();
  const std::vector<Wave> waves = slowest(high - low, options.bits);
  if (waves.empty()) {
    fail(ErrorCode::kInvalidArgument, "sh: beside values of up to ", x.cwiseAbs().maxCoeff(),
         " single precision loses what the vectors differ by; features nearer to 0 would be right");
  }
  MatrixXd directions(x.cols(), options.bits);
  VectorXd phase(options.bits), omega(options.bits);
  for (Eigen::Index k = 0; k < omega.size(); ++k) {
    const Wave& wave = waves[static_cast<std::size_t>(k)];
    directions.col(k) = p.directions.col(wave.direction);
    phase[k] = low[wave.direction];
    omega[k] = wave.omega;
  }
  return std::make_unique<SpectralHasher>(directions, phase, omega);
}

}  // namespace signet
