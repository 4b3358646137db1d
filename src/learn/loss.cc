#include "learn/loss.h"

#include <algorithm>
#include <cmath>

#include "learn/pair_kernel.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using at::Tensor;

// exp(x) up to the cap, its tangent above; and the slope of that in x.
Tensor capped_exp(const Tensor& x, double cap) {
  const Tensor below = x.clamp_max(cap);
  return below.exp().mul_(1 + (x - below));
}
Tensor capped_slope(const Tensor& x, double cap) { return x.clamp_max(cap).exp_(); }

// R2 as numbers that neither overflow nor cancel: with s = b|y| and p = sign(y) u_k u'_k,
//   cosh s - sinh s p = e^s q,  q = (1 - p)/2 + r (1 + p)/2,  r = e^(-2s),  r <= q <= 1.
struct ProductTerms {
  Tensor exponent;  // K s
  Tensor sign;      // of y
  Tensor half;      // r / 2
};

ProductTerms product_terms(const Tensor& y, double b, std::int64_t bits) {
  const Tensor s = y.abs().mul_(b);
  return {s * static_cast<double>(bits), y.sign(), s.mul(-2).exp_().div_(2)};
}

Tensor factor_of(const Tensor& column, const ProductTerms& terms) {
  const Tensor p = at::outer(column, column).mul_(terms.sign);
  return (1 - p).div_(2).add_((1 + p).mul_(terms.half));
}

// sum_k log q_k. Products of a few factors are taken before the logarithm: each is at least exp(-2b), so groups of 30 / b stay
// far from the smallest float32 (1e-38 = exp(-87)).
Tensor sum_log_factors(const Tensor& u, const ProductTerms& terms, double b) {
  const auto group = static_cast<std::int64_t>(std::max(30.0 / b, 1.0));
  if (pair_kernel_runs(u)) return pair_kernel_log(u, terms.sign, terms.half, group);
  Tensor sum = at::zeros_like(terms.half), product;
  for (std::int64_t k = 0; k < u.size(1); ++k) {
    const Tensor q = factor_of(u.select(1, k), terms);
    product = k % group == 0 ? q : product.mul_(q);
    if (k % group == group - 1 || k + 1 == u.size(1)) sum.add_(product.log_());
  }
  return sum;
}

// d/du of sum_ij weight_ij sum_k log q_ijk, weight symmetric: both ends of a pair give the same, hence the 2. dq/dp = r/2 - 1/2.
Tensor product_gradient(const Tensor& u, const Tensor& weight, const ProductTerms& terms) {
  const Tensor weighted = (terms.half - 0.5).mul_(terms.sign).mul_(weight);
  if (pair_kernel_runs(u)) return pair_kernel_gradient(u, weighted, terms.sign, terms.half);
  Tensor gradient = at::empty_like(u);
  for (std::int64_t k = 0; k < u.size(1); ++k) {
    const Tensor column = u.select(1, k);
    gradient.select(1, k).copy_((weighted / factor_of(column, terms)).mul_(column).sum(1).mul_(2));
  }
  return gradient;
}

// R3 at the signs: W_k takes two values a pair, e_agree where h_k h'_k = 1 and e_differ where it is -1. So sums over k become
// matrix products: sum_k W_k f_k = mean . sum_k f_k + half . sum_k h_k h'_k f_k.
struct BitwiseTerms {
  Tensor signs, exact_log, mean, half, sinh;
};

BitwiseTerms bitwise_terms(const Tensor& u, const Tensor& y, double b, double cap) {
  BitwiseTerms t;
  t.signs = at::where(u >= 0, at::ones_like(u), at::full_like(u, -1));  // sign(0) = +1
  const Tensor by = y * b;
  // Of the two values only one occurs where all bits agree or differ, and what occurs is never above (K - 1) b: cutting there
  // keeps the other finite.
  cap = std::min(cap, b * static_cast<double>(u.size(1) - 1));
  t.exact_log = at::matmul(t.signs, t.signs.t()).mul_(by).neg_();
  const Tensor agree = capped_slope(t.exact_log + by, cap), differ = capped_slope(t.exact_log - by, cap);
  t.mean = (agree + differ).div_(2);
  t.half = (agree - differ).div_(2);
  t.sinh = by.sinh();
  return t;
}

Tensor log_loss(const Tensor& u, const Tensor& y, const PairLossOptions& options) {
  const double b = options.alpha / static_cast<double>(u.size(1));
  if (options.reading == HashLoss::kExpInner) return at::matmul(u, u.t()).mul_(y).mul_(-b);
  const ProductTerms terms = product_terms(y, b, u.size(1));
  return terms.exponent + sum_log_factors(u, terms, b);
}

Tensor bitwise_value(const Tensor& u, const BitwiseTerms& t, double cap) {
  const Tensor magnitude = u.abs();
  const Tensor plain = at::matmul(t.signs, t.signs.t()) - at::matmul(u, u.t());
  const Tensor signed_sum = static_cast<double>(u.size(1)) - at::matmul(magnitude, magnitude.t());
  return capped_exp(t.exact_log, cap) + t.sinh * (t.mean * plain + t.half * signed_sum);
}

struct PairLoss : torch::autograd::Function<PairLoss> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& u, const Tensor& y, std::int64_t reading,
                        double alpha, double cap, bool equal_mass) {
    const PairLossOptions options{static_cast<HashLoss>(reading), alpha, cap, equal_mass};
    const double b = alpha / static_cast<double>(u.size(1));
    const Tensor weights = pair_weights(y, equal_mass);
    Tensor value, gradient;
    if (options.reading == HashLoss::kExpBitwise) {
      const BitwiseTerms t = bitwise_terms(u, y, b, cap);
      value = bitwise_value(u, t, cap);
      const Tensor scaled = t.sinh * weights;
      gradient = at::matmul(scaled * t.mean, u).add_(at::matmul(scaled * t.half, u.abs()).mul_(t.signs)).mul_(-2);
    } else if (options.reading == HashLoss::kExpInner) {
      const Tensor log = log_loss(u, y, options);
      value = capped_exp(log, cap);
      gradient = at::matmul(capped_slope(log, cap).mul_(weights).mul_(y), u).mul_(-2 * b);
    } else {
      const ProductTerms terms = product_terms(y, b, u.size(1));
      const Tensor log = sum_log_factors(u, terms, b).add_(terms.exponent);
      value = capped_exp(log, cap);
      gradient = product_gradient(u, capped_slope(log, cap).mul_(weights), terms);
    }
    context->save_for_backward({gradient});
    return value.mul_(weights).sum();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outputs) {
    const auto saved = context->get_saved_variables();
    return {saved[0] * outputs[0], Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

void check(const Tensor& u, const Tensor& y, const PairLossOptions& options) {
  if (u.dim() != 2 || u.size(1) < 1 || y.dim() != 2 || y.size(0) != u.size(0) || y.size(1) != u.size(0))
    fail(ErrorCode::kInvalidArgument, "pair_loss needs n x K codes and an n x n similarity");
  if (!(options.alpha > 0 && options.alpha <= 40))
    fail(ErrorCode::kInvalidArgument, "alpha ", options.alpha, " must be above 0 and at most 40");
  if (!(options.cap > 0)) fail(ErrorCode::kInvalidArgument, "the cap of the exponent, ", options.cap, ", must be above 0");
}

}  // namespace

Tensor pair_weights(const Tensor& similarity, bool equal_mass) {
  const std::int64_t n = similarity.size(0);
  if (!equal_mass) {
    Tensor weights = at::full_like(similarity, n > 1 ? 1.0 / static_cast<double>(n * (n - 1)) : 0.0);
    weights.fill_diagonal_(0);
    return weights;
  }
  Tensor similar = similarity.gt(0).to(similarity.scalar_type()), dissimilar = similarity.lt(0).to(similarity.scalar_type());
  similar.fill_diagonal_(0);
  dissimilar.fill_diagonal_(0);
  const double alike = similar.sum(at::kDouble).item<double>(), unlike = dissimilar.sum(at::kDouble).item<double>();
  const double share = alike > 0 && unlike > 0 ? 0.5 : 1.0;
  if (alike > 0) similar.mul_(share / alike);
  if (unlike > 0) dissimilar.mul_(share / unlike);
  return similar.add_(dissimilar);
}

Tensor pair_log_loss(const Tensor& u, const Tensor& similarity, const PairLossOptions& options) {
  check(u, similarity, options);
  const at::NoGradGuard no_gradient;
  if (options.reading != HashLoss::kExpBitwise) return log_loss(u, similarity, options);
  constexpr double kNone = std::numeric_limits<double>::infinity();
  return bitwise_value(u, bitwise_terms(u, similarity, options.alpha / static_cast<double>(u.size(1)), kNone), kNone).log();
}

Tensor pair_loss(const Tensor& u, const Tensor& similarity, const PairLossOptions& options) {
  check(u, similarity, options);
  return PairLoss::apply(u, similarity, static_cast<std::int64_t>(options.reading), options.alpha, options.cap,
                         options.equal_mass);
}

PairLossOptions pair_loss_options(const TrainOptions& options) {
  return {options.loss, options.alpha, options.exponent_cap, options.equal_pair_mass};
}

Tensor nested_pair_loss(const Tensor& u, const Tensor& similarity, const PairLossOptions& options,
                        std::span<const std::uint32_t> lengths) {
  Tensor sum = pair_loss(u, similarity, options);
  for (const std::uint32_t length : lengths) {
    if (length < 1 || length >= u.size(1))
      fail(ErrorCode::kInvalidArgument, "a nested length of ", length, " must be at least 1 and below the ", u.size(1), " bits");
    sum = sum + pair_loss(u.narrow(1, 0, length).contiguous(), similarity, options);
  }
  return lengths.empty() ? sum : sum / static_cast<double>(lengths.size() + 1);
}

}  // namespace signet
