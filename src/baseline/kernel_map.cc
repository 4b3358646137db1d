#include "baseline/kernel_map.h"

#include <cmath>
#include <numeric>

#include "signet/base/error.h"

namespace signet::baseline {
namespace {

constexpr Eigen::Index kBlock = 2048;

class KernelHasher final : public Hasher {
 public:
  KernelHasher(std::string method, KernelMap map, const MatrixXf& weights, std::vector<double> objective)
      : method_(std::move(method)), map_(std::move(map)), weights_(weights) {
    objective_ = std::move(objective);
  }
  const std::string& method() const noexcept override { return method_; }
  std::uint32_t bits() const noexcept override { return static_cast<std::uint32_t>(weights_.cols()); }
  std::size_t input_size() const noexcept override { return static_cast<std::size_t>(map_.input_size()); }
  int append_to(Network& network, int input) const override {
    const int radial = map_.append_to(network, input);
    const RowMatrix weight = weights_.transpose();
    const VectorXf bias = map_.shift().transpose() * -weights_;
    return append_linear(network, radial, {weight.data(), weight.data() + weight.size()},
                         {bias.data(), bias.data() + bias.size()});
  }
  std::vector<float> outputs(std::span<const float> values) const override {
    const Features x = checked_values(method_, values, input_size());
    std::vector<float> out(static_cast<std::size_t>(x.rows() * weights_.cols()));
    Eigen::Map<RowMatrix> result(out.data(), x.rows(), weights_.cols());
    for (Eigen::Index begin = 0; begin < x.rows(); begin += kBlock) {
      const Eigen::Index n = std::min(kBlock, x.rows() - begin);
      result.middleRows(begin, n) = map_.map({x.data() + begin * x.cols(), n, x.cols()}) * weights_;
    }
    return out;
  }

 private:
  std::string method_;
  KernelMap map_;
  MatrixXf weights_;
};

}  // namespace

std::vector<Eigen::Index> draw(std::size_t count, std::size_t n, Random& random) {
  std::vector<Eigen::Index> all(n);
  std::iota(all.begin(), all.end(), Eigen::Index{0});
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.below(n - i)]);
  all.resize(count);
  return all;
}

KernelMap::KernelMap(const std::string& method, const Features& x, std::size_t anchors, double width, Random& random) {
  const auto n = static_cast<std::size_t>(x.rows());
  if (anchors < 2 || anchors > n) {
    fail(ErrorCode::kInvalidArgument, method, " needs 2 or more anchors and no more than there are vectors (", n, "), not ",
         anchors);
  }
  anchors_.resize(static_cast<Eigen::Index>(anchors), x.cols());
  const std::vector<Eigen::Index> chosen = draw(anchors, n, random);
  for (Eigen::Index j = 0; j < anchors_.rows(); ++j) anchors_.row(j) = x.row(chosen[static_cast<std::size_t>(j)]);
  centre_ = anchors_.colwise().mean();
  centred_ = anchors_.rowwise() - centre_;
  squares_ = centred_.rowwise().squaredNorm();
  double distance = 0;
  const Eigen::Index sample = std::min<Eigen::Index>(x.rows(), kBlock);  // evenly spaced: data sorted by class stays represented
  for (Eigen::Index i = 0; i < sample; ++i) {
    const Eigen::Index row = i * x.rows() / sample;
    distance += (anchors_.rowwise() - x.row(row)).rowwise().norm().cast<double>().mean() / static_cast<double>(sample);
  }
  scale_ = static_cast<float>(1 / (2 * width * width * distance * distance));
  if (!(scale_ > 0 && std::isfinite(scale_))) {
    fail(ErrorCode::kInvalidArgument, method, ": vectors and anchors are ", distance,
         " apart on average, of which single precision makes no kernel; features that differ by moderate amounts would be right");
  }
  VectorXd sum = VectorXd::Zero(anchors_.rows());
  for (Eigen::Index begin = 0; begin < x.rows(); begin += kBlock) {
    const Eigen::Index count = std::min(kBlock, x.rows() - begin);
    sum += raw({x.data() + begin * x.cols(), count, x.cols()}).cast<double>().colwise().sum().transpose();
  }
  shift_ = (sum / static_cast<double>(x.rows())).cast<float>();
}

MatrixXf KernelMap::raw(const Features& x) const {
  // ||x||^2 - 2 x.a + ||a||^2 loses what the norms have more than the distances: from a centre among the vectors they have
  // little.
  const MatrixXf from_centre = x.rowwise() - centre_;
  MatrixXf d = -2 * (from_centre * centred_.transpose());
  d.colwise() += from_centre.rowwise().squaredNorm();
  d.rowwise() += squares_.transpose();
  return (-(d.array().max(0) * scale_)).exp();
}

MatrixXf KernelMap::map(const Features& x) const { return raw(x).rowwise() - shift_.transpose(); }

int KernelMap::append_to(Network& network, int input) const {
  Layer layer;
  layer.kind = LayerKind::kRadial;
  layer.input = input;
  layer.out = static_cast<std::uint32_t>(anchors_.rows());
  layer.weight.assign(anchors_.data(), anchors_.data() + anchors_.size());
  layer.bias.assign(layer.out, -scale_);
  network.layers.push_back(std::move(layer));
  return static_cast<int>(network.layers.size()) - 1;
}

std::unique_ptr<Hasher> kernel_hasher(std::string method, KernelMap map, const MatrixXf& weights, std::vector<double> objective) {
  return std::make_unique<KernelHasher>(std::move(method), std::move(map), weights, std::move(objective));
}

}  // namespace signet::baseline
