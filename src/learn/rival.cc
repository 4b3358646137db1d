#include "learn/rival.h"

#include <algorithm>
#include <map>

#include "learn/rival_centres.h"
#include "learn/rival_classifiers.h"
#include "learn/rival_pairs.h"
#include "learn/rival_triplets.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using at::Tensor;
using T = RivalTargets;

constexpr bool kAnyLabels = true, kOneLabel = false, kCodesOnly = false, kNamesClasses = true;

constexpr Rival kRivals[] = {
    {"cnnh", "Xia et al., AAAI 2014", cnnh_loss, T::kDescent, kAnyLabels, kCodesOnly, 4},
    {"ninh", "Lai et al., CVPR 2015", ninh_loss, T::kNone, kAnyLabels, kCodesOnly, 1},
    {"dlbhc", "Lin et al., CVPRW 2015", dlbhc_loss, T::kNone, kOneLabel, kNamesClasses, 1},
    {"dsh", "Liu et al., CVPR 2016", dsh_loss, T::kNone, kAnyLabels, kCodesOnly, 12},
    {"dpsh", "Li et al., IJCAI 2016", dpsh_loss, T::kNone, kAnyLabels, kCodesOnly, 1},
    {"dtsh", "Wang et al., ACCV 2016", dtsh_loss, T::kNone, kAnyLabels, kCodesOnly, 0.1},
    {"hashnet", "Cao et al., ICCV 2017", hashnet_loss, T::kNone, kAnyLabels, kCodesOnly, 1},
    {"greedyhash", "Su et al., NeurIPS 2018", greedyhash_loss, T::kNone, kOneLabel, kCodesOnly, 1},
    {"csq", "Yuan et al., CVPR 2020", csq_loss, T::kHadamard, kAnyLabels, kCodesOnly, 10},
    {"dpn", "Fan et al., IJCAI 2020", dpn_loss, T::kBalanced, kOneLabel, kCodesOnly, 10},
    {"orthohash", "Hoe et al., NeurIPS 2021", orthohash_loss, T::kBernoulli, kAnyLabels, kCodesOnly, 1},
};

void check_labels(const Rival& rival, const TrainingSet& set) {
  if (rival.several_labels) return;
  const auto several = std::ranges::count_if(set.train, [&](std::size_t i) { return set.labels[i].size() > 1; });
  if (several > 0)
    fail(ErrorCode::kInvalidArgument, "--loss ", rival.name, " needs one label an image, and ", several, " of ", set.train.size(),
         " training images have several; a loss over pairs, such as dsh, takes them");
}

// Every image's row among the different sets of labels, which become `sets` with the `counts` of their training images.
std::vector<std::int64_t> label_sets(const TrainingSet& set, std::vector<std::vector<std::int32_t>>& sets,
                                     std::vector<std::size_t>& counts) {
  std::map<std::vector<std::int32_t>, std::int64_t> rows;
  std::vector<std::int64_t> of_image(set.size(), 0);
  for (const std::size_t i : set.train) {
    const auto [found, added] = rows.emplace(set.labels[i], static_cast<std::int64_t>(sets.size()));
    if (added) sets.push_back(set.labels[i]), counts.push_back(0);
    ++counts[static_cast<std::size_t>(found->second)];
    of_image[i] = found->second;
  }
  return of_image;
}

Tensor to_tensor(const SignRows& rows, const at::Device& device) {
  Tensor t = at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.bits)}, at::kFloat);
  std::ranges::copy(rows.values, t.data_ptr<float>());
  return t.to(device);
}

CentreKind kind_of(RivalTargets targets) {
  return targets == T::kHadamard   ? CentreKind::kHadamard
         : targets == T::kBalanced ? CentreKind::kBalanced
                                   : CentreKind::kBernoulli;
}

}  // namespace

std::span<const Rival> rivals() { return kRivals; }

const Rival& find_rival(const std::string& name) {
  std::string names;
  for (const Rival& rival : kRivals) {
    if (name == rival.name) return rival;
    names += concat(names.empty() ? "" : ", ", rival.name);
  }
  fail(ErrorCode::kUsage, "--loss \"", name, "\" does not exist; exp-product, exp-inner, exp-bitwise, ", names, " do");
}

RivalLoss::RivalLoss(const Rival& rival, const TrainingSet& set, std::uint32_t bits, std::uint64_t seed, const at::Device& device)
    : rival_(rival), device_(device) {
  check_labels(rival, set);
  if (rival.targets == T::kNone) return;
  std::vector<std::vector<std::int32_t>> sets;
  std::vector<std::size_t> counts;
  code_ = label_sets(set, sets, counts);
  if (rival.targets == T::kDescent) {
    codes_ = to_tensor(descent_codes(sets, counts, bits, seed), device);
    return;
  }
  const SignRows centres = class_centres(kind_of(rival.targets), set.classes(), bits, seed, rival.name);
  centres_ = to_tensor(centres, device);
  codes_ = to_tensor(majority_codes(centres, sets, seed), device);
}

Tensor RivalLoss::operator()(const HashNetwork& network, const HashNetwork::Result& out, const Batch& batch,
                             double progress) const {
  RivalBatch b;
  b.outputs = out.hash, b.logits = out.logits;
  b.classifier = network.value("classify.weight"), b.intercept = network.value("classify.bias");
  b.labels = batch.targets.to(device_);
  b.similar = batch.similarity.to(device_).gt(-1).to(at::kFloat);
  b.centres = centres_;
  b.progress = progress;
  if (codes_.defined()) {
    Tensor rows = at::empty({static_cast<std::int64_t>(batch.positions.size())}, at::kLong);
    for (std::size_t i = 0; i < batch.positions.size(); ++i) rows.data_ptr<std::int64_t>()[i] = code_[batch.positions[i]];
    b.targets = codes_.index_select(0, rows.to(device_));
  }
  return rival_.formula(b) * rival_.rate;
}

Tensor mean_over_pairs(const Tensor& values) {
  const auto n = static_cast<double>(values.size(0));
  return (values.sum() - values.diagonal().sum()) / std::max(n * (n - 1), 1.0);
}

Tensor signs_of(const Tensor& values) {
  const Tensor fixed = values.detach();
  return at::where(fixed >= 0, at::ones_like(fixed), at::full_like(fixed, -1));
}

Tensor squared_distances(const Tensor& rows) {
  const Tensor norms = rows.square().sum(1);
  return norms.unsqueeze(1) + norms.unsqueeze(0) - 2 * at::matmul(rows, rows.t());
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) { return -(at::log_softmax(logits, 1) * labels).sum(1).mean(); }

}  // namespace signet
