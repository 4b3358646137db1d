#include "learn/rival.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learn/rival_centres.h"
#include "learn/rival_classifiers.h"
#include "learn/rival_pairs.h"
#include "learn/rival_triplets.h"
#include "learn/test_data.h"

// Formulas by hand and by central differences. That each of them learns codes: rival_train_test.cc.
namespace signet {
namespace {

using at::Tensor;
using Rows = std::vector<std::vector<double>>;

Tensor matrix(const Rows& rows) {
  Tensor t = at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.front().size())}, at::kDouble);
  double* value = t.data_ptr<double>();
  for (const auto& row : rows)
    for (const double x : row) *value++ = x;
  return t;
}

// Images of these classes, each with one label.
RivalBatch batch_of(const Tensor& outputs, const std::vector<std::int64_t>& classes, std::int64_t class_count) {
  RivalBatch b;
  b.outputs = outputs;
  b.labels = at::zeros({outputs.size(0), class_count}, at::kDouble);
  for (std::size_t i = 0; i < classes.size(); ++i) b.labels[static_cast<std::int64_t>(i)][classes[i]] = 1;
  b.similar = at::matmul(b.labels, b.labels.t());
  return b;
}

double value(const Tensor& t) { return t.item<double>(); }
double softplus(double x) { return std::log1p(std::exp(x)); }

TEST(RivalFormulas, PairsByHand) {
  const double ln2 = std::log(2.0);
  const Tensor u = matrix({{1, 0.5}, {-0.5, 1}});  // squared distance 2.5; each 0.5 away from its corner in one bit
  EXPECT_NEAR(value(dsh_loss(batch_of(u, {0, 1}, 2))), ((4 - 2.5) / 2 + 0.01) / 2, 1e-12);
  EXPECT_NEAR(value(dsh_loss(batch_of(u, {0, 0}, 2))), (2.5 / 2 + 0.01) / 2, 1e-12);
  EXPECT_NEAR(value(dsh_loss(batch_of(3 * u, {0, 1}, 2))), 0.01 * 2 * 2.5 / 2, 1e-12);  // beyond the margin: |u| - 1 is 2 and 0.5

  const Tensor near = matrix({{1, 0.5}, {1, 1}});  // t = 0.75
  EXPECT_NEAR(value(dpsh_loss(batch_of(near, {0, 0}, 2))), softplus(-0.75) + 0.1 * 0.0625, 1e-12);
  EXPECT_NEAR(value(dpsh_loss(batch_of(near, {0, 1}, 2))), softplus(0.75) + 0.1 * 0.0625, 1e-12);

  const double half = std::atanh(0.5);  // h.h' = 0, -0.5 and 0; a = 5
  RivalBatch three = batch_of(matrix({{half, half}, {half, -half}, {-half, -half}}), {0, 0, 1}, 2);
  EXPECT_NEAR(value(hashnet_loss(three)), ln2 + (softplus(-2.5) + ln2) / 2, 1e-12);
  three.progress = 0.5;  // beta = sqrt(26)
  const double h = std::tanh(std::sqrt(26.0) * half);
  EXPECT_NEAR(value(hashnet_loss(three)), ln2 + (softplus(-10 * h * h) + ln2) / 2, 1e-12);
}

TEST(RivalFormulas, TripletsByHand) {
  // b = (0.5, 0.5), (0.75, 0.5) and (0.5, 0.9).
  const Tensor v = matrix({{0, 0}, {std::atanh(0.5), 0}, {0, std::atanh(0.8)}});
  const double first = 1 - 0.16 + 0.0625, second = 1 - (0.0625 + 0.16) + 0.0625;
  EXPECT_NEAR(value(ninh_loss(batch_of(v, {0, 0, 1}, 2))), (first + second) / 2, 1e-12);
  // t = 0, -1 and 0, margin 1: leads 1 and 0.
  const Tensor u = matrix({{1, 1}, {1, -1}, {-1, -1}});
  EXPECT_NEAR(value(dtsh_loss(batch_of(u, {0, 0, 1}, 2))), (std::log(2.0) + softplus(1)) / 2, 1e-12);
  EXPECT_NEAR(value(dtsh_loss(batch_of(3 * u, {0, 1, 2}, 3))), 4, 1e-12);  // no triplet: the pull alone
}

TEST(RivalFormulas, ClassifiersByHand) {
  RivalBatch b = batch_of(matrix({{0.5, -2}}), {0}, 2);
  b.logits = matrix({{0, std::log(3.0)}});
  EXPECT_NEAR(value(dlbhc_loss(b)), std::log(4.0), 1e-12);
  b.classifier = matrix({{1, 0}, {0, 0}}), b.intercept = at::zeros({2}, at::kDouble);
  EXPECT_NEAR(value(greedyhash_loss(b)), softplus(-1) + 0.1 * (0.125 + 1) / 2, 1e-12);
}

TEST(RivalFormulas, CentresByHand) {
  RivalBatch b = batch_of(matrix({{std::atanh(0.5), -std::atanh(0.5)}}), {0}, 2);
  b.targets = matrix({{1, 1}});
  EXPECT_NEAR(value(cnnh_loss(b)), (0.25 + 2.25) / 2, 1e-12);
  EXPECT_NEAR(value(csq_loss(b)), -(std::log(0.75) + std::log(0.25)) / 2 + 0.0001 * 0.25, 1e-12);
  b.outputs = matrix({{0.5, -2}});
  EXPECT_NEAR(value(dpn_loss(b)), (0.5 + 3) / 2, 1e-12);
  b.outputs = matrix({{3, 4}});
  b.centres = matrix({{1, 1}, {1, -1}});
  const double own = 7 / (5 * std::sqrt(2.0)), other = -1 / (5 * std::sqrt(2.0));
  EXPECT_NEAR(value(orthohash_loss(b)), softplus(8 * other - 8 * (own - 0.2)), 1e-12);
}

// n = 130 images make two parts: all triplets within them, none across.
TEST(RivalFormulas, LargeBatchesAreDealtOutToPartsThatHaveAllClasses) {
  const std::int64_t n = 130;
  Random random(3);
  Tensor v = at::empty({n, 4}, at::kDouble);
  for (std::int64_t i = 0; i < v.numel(); ++i) v.data_ptr<double>()[i] = random.normal();
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < n; ++i) classes.push_back(i / 44);  // one class after the other, as in a batch
  const Tensor soft = (1 + v.tanh()) / 2, distance = squared_distances(soft);
  double sum = 0, count = 0;
  const auto d = distance.accessor<double, 2>();
  const auto at = [&](std::int64_t i) { return classes[static_cast<std::size_t>(i)]; };
  for (std::int64_t part = 0; part < 2; ++part)
    for (std::int64_t q = part; q < n; q += 2)
      for (std::int64_t p = part; p < n; p += 2)
        for (std::int64_t m = part; m < n; m += 2)
          if (p != q && at(p) == at(q) && at(m) != at(q)) sum += std::max(0.0, 1 - d[q][m] + d[q][p]), ++count;
  EXPECT_NEAR(value(ninh_loss(batch_of(v, classes, 3))), sum / count, 1e-9);
}

// A batch whose outputs are `v`; everything else follows from the seed.
RivalBatch random_batch(const Tensor& v) {
  Random random(11);
  const auto draw = [&](std::int64_t rows, std::int64_t columns, bool sign) {
    Tensor t = at::empty({rows, columns}, at::kDouble);
    for (std::int64_t i = 0; i < t.numel(); ++i)
      t.data_ptr<double>()[i] = sign ? (random.below(2) == 0 ? 1 : -1) : random.normal();
    return t;
  };
  RivalBatch b = batch_of(v, {0, 0, 1, 2, 1, 2, 2}, 3);
  b.classifier = draw(3, v.size(1), false), b.intercept = draw(1, 3, false).flatten();
  b.logits = at::matmul(v.tanh(), b.classifier.t()) + b.intercept;
  b.targets = draw(v.size(0), v.size(1), true);
  b.centres = draw(3, v.size(1), true);
  b.progress = 0.3;
  return b;
}

// Outputs at least 0.05 away from -1, 0 and 1, where some losses have kinks.
Tensor smooth_outputs() {
  Random random(5);
  Tensor v = at::empty({7, 5}, at::kDouble);
  for (std::int64_t i = 0; i < v.numel(); ++i) {
    const double size = 0.05 + 0.9 * random.uniform() + static_cast<double>(random.below(2));
    v.data_ptr<double>()[i] = random.below(2) == 0 ? size : -size;
  }
  return v;
}

// What greedyhash is the gradient of at `v`: signs and outputs move together.
Tensor greedyhash_surrogate(const RivalBatch& b, const Tensor& at_signs, const Tensor& v) {
  const Tensor logits = at::matmul(at_signs, b.classifier.t()) + b.intercept;
  return cross_entropy(logits, b.labels) + 0.1 * (v.abs() - 1).abs().pow(3).mean();
}

TEST(RivalFormulas, GradientsMatchCentralDifferences) {
  for (const Rival& rival : rivals()) {
    Tensor v = smooth_outputs().set_requires_grad(true);
    rival.formula(random_batch(v)).backward();
    const Tensor gradient = v.grad(), fixed = v.detach().clone();
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-3) << rival.name;
    const at::NoGradGuard no_gradient;
    const auto loss_at = [&](const Tensor& moved) {
      const RivalBatch b = random_batch(moved);
      if (rival.formula != greedyhash_loss) return value(rival.formula(b));
      return value(greedyhash_surrogate(b, signs_of(fixed) + moved - fixed, moved));
    };
    for (std::int64_t i = 0; i < v.numel(); ++i) {
      constexpr double kStep = 1e-6;
      Tensor above = fixed.clone(), below = fixed.clone();
      above.data_ptr<double>()[i] += kStep, below.data_ptr<double>()[i] -= kStep;
      const double slope = (loss_at(above) - loss_at(below)) / (2 * kStep);
      ASSERT_NEAR(gradient.flatten()[i].item<double>(), slope, 1e-7 + 1e-5 * std::abs(slope)) << rival.name << " at " << i;
    }
  }
}

// Outputs themselves as free parameters: codes of a class must come together and those of others part (both near 0 at first).
TEST(RivalFormulas, DescendingAnyOfThemTellsClassesApart) {
  for (const Rival& rival : rivals()) {
    Random random(7);
    Tensor v = at::empty({7, 8}, at::kDouble);
    for (std::int64_t i = 0; i < v.numel(); ++i) v.data_ptr<double>()[i] = 0.3 * random.normal();
    v.set_requires_grad(true);
    for (int step = 0; step < 200; ++step) {
      RivalBatch b = random_batch(v);
      b.targets = at::matmul(b.labels, b.centres);
      rival.formula(b).backward();
      const at::NoGradGuard no_gradient;
      v.sub_(v.grad() / v.grad().abs().max().clamp_min(1e-9), 0.05);
      v.mutable_grad() = Tensor();
    }
    const RivalBatch b = random_batch(v.detach());
    const Tensor products = at::matmul(signs_of(v), signs_of(v).t()), same = b.similar - at::eye(7, at::kDouble);
    const double alike = value((products * same).sum() / same.sum());
    const double unlike = value((products * (1 - b.similar)).sum() / (1 - b.similar).sum());
    EXPECT_GT(alike - unlike, 4) << rival.name;
  }
}

TEST(RivalFormulas, ExtremeOutputsStayFinite) {
  for (const Rival& rival : rivals()) {
    for (const double size : {0.0, 1.0, 60.0}) {
      for (const bool same : {true, false}) {
        Tensor v = (same ? at::full({7, 5}, size, at::kDouble) : smooth_outputs() * size).to(at::kFloat).set_requires_grad(true);
        RivalBatch b = random_batch(v.detach().to(at::kDouble));
        for (Tensor* t : {&b.classifier, &b.intercept, &b.labels, &b.similar, &b.targets, &b.centres}) *t = t->to(at::kFloat);
        b.outputs = v, b.logits = at::matmul(v.tanh(), b.classifier.t()) + b.intercept;
        const Tensor loss = rival.formula(b);
        loss.backward();
        EXPECT_TRUE(std::isfinite(value(loss))) << rival.name << " " << size;
        EXPECT_TRUE(v.grad().isfinite().all().item<bool>()) << rival.name << " " << size;
      }
    }
  }
}

// One image, or no similar pair: nothing to compare, and no division by nothing.
TEST(RivalFormulas, LonelyImagesGiveNoNonsense) {
  for (const Rival& rival : rivals()) {
    Tensor v = at::full({1, 5}, 0.5, at::kDouble).set_requires_grad(true);
    RivalBatch b = random_batch(smooth_outputs());
    b.outputs = v, b.labels = b.labels.slice(0, 0, 1), b.similar = at::ones({1, 1}, at::kDouble),
    b.targets = b.targets.slice(0, 0, 1);
    b.logits = at::matmul(v.tanh(), b.classifier.t()) + b.intercept;
    const Tensor loss = rival.formula(b);
    loss.backward();
    EXPECT_TRUE(std::isfinite(value(loss))) << rival.name;
    EXPECT_TRUE(v.grad().isfinite().all().item<bool>()) << rival.name;
  }
}

}  // namespace
}  // namespace signet
