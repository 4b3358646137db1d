#include "learn/rival_triplets.h"

#include <algorithm>

namespace signet {
namespace {

using at::Tensor;

// Sum over the triplets of one part, and how many there are. `nearness`: m x m, larger is nearer. `cost` is taken of the lead,
// nearness(q, p) - nearness(q, n), at every entry of a tensor.
template <typename Cost>
std::pair<Tensor, double> over_part(const Tensor& nearness, const Tensor& similar, const Cost& cost) {
  Tensor positives = similar.clone();
  positives.fill_diagonal_(0);
  const Tensor pairs = positives.nonzero();
  const Tensor q = pairs.select(1, 0), p = pairs.select(1, 1);
  const Tensor near = nearness.flatten().index_select(0, q * nearness.size(1) + p);
  const Tensor lead = near.unsqueeze(1) - nearness.index_select(0, q);
  const Tensor counts = 1 - similar.index_select(0, q);
  return {(cost(lead) * counts).sum(), counts.sum(at::kDouble).template item<double>()};
}

// Every parts-th image: a batch holds its classes one after the other, and each part is to have all of them.
template <typename Nearness, typename Cost>
Tensor mean_over_triplets(const Tensor& rows, const Tensor& similar, const Nearness& nearness, const Cost& cost) {
  const std::int64_t n = rows.size(0), parts = (n + kTripletPart - 1) / kTripletPart;
  Tensor sum = rows.sum() * 0;
  double count = 0;
  for (std::int64_t part = 0; part < parts; ++part) {
    const Tensor some = rows.slice(0, part, n, parts);
    const auto [add, triplets] = over_part(nearness(some), similar.slice(0, part, n, parts).slice(1, part, n, parts), cost);
    sum = sum + add;
    count += triplets;
  }
  return sum / std::max(count, 1.0);
}

}  // namespace

Tensor ninh_loss(const RivalBatch& batch) {
  return mean_over_triplets((1 + batch.outputs.tanh()) / 2, batch.similar, [](const Tensor& b) { return -squared_distances(b); },
                            [](const Tensor& lead) { return (1 - lead).clamp_min(0); });
}

Tensor dtsh_loss(const RivalBatch& batch) {
  const double margin = static_cast<double>(batch.outputs.size(1)) / 2;
  const Tensor triplets = mean_over_triplets(
      batch.outputs, batch.similar, [](const Tensor& u) { return at::matmul(u, u.t()) / 2; },
      [margin](const Tensor& lead) { return at::softplus(margin - lead); });
  return triplets + (batch.outputs - signs_of(batch.outputs)).square().mean();
}

}  // namespace signet
