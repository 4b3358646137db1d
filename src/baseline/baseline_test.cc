#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/baseline/methods.h"

namespace signet {
namespace {

struct Data {
  std::vector<float> values;
  std::vector<std::vector<std::int32_t>> labels;
  std::size_t size = 0;
  FeatureSet set() const { return {values, size, labels}; }
};

// Four classes around corners of a cube in 6 of 16 dimensions; 6 louder dimensions know nothing of the class.
Data make_data(std::size_t n, std::uint64_t seed, double noise = 0.35) {
  Data d;
  d.size = 16;
  Random random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::int32_t>(i % 4);
    d.labels.push_back({label});
    Random corner(static_cast<std::uint64_t>(label) + 50);
    for (std::size_t k = 0; k < d.size; ++k) {
      const double centre = k < 6 ? (corner.below(2) == 1 ? 1 : -1) : 0;
      d.values.push_back(static_cast<float>(3 + centre + random.normal() * (k < 6 ? noise : k < 12 ? 1.2 : 0.1)));
    }
  }
  return d;
}

// Probability that an image of the same class is nearer than one of another class, ties half.
double separation(const Hasher& hasher, const Data& d) {
  const CodeMatrix codes = hasher.encode(d.values);
  std::vector<double> same(codes.bits() + 1), other(codes.bits() + 1);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      (d.labels[i] == d.labels[j] ? same : other)[hamming_distance(codes.row(i), codes.row(j))] += 1;
  }
  double nearer = 0, same_sum = 0, other_sum = 0;
  for (const double s : same) same_sum += s;
  for (std::size_t k = other.size(); k-- > 0;) {
    nearer += same[k] * (other_sum + other[k] / 2);
    other_sum += other[k];
  }
  return nearer / same_sum / other_sum;
}

BaselineOptions with_bits(std::uint32_t bits) {
  BaselineOptions options;
  options.bits = bits;
  options.anchors = 60;
  options.labelled = 200;
  return options;
}

double dot(const Hasher::Affine& a, std::size_t size, std::size_t i, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < size; ++k)
    sum += static_cast<double>(a.weight[i * size + k]) * static_cast<double>(a.weight[j * size + k]);
  return sum;
}

void expect_orthonormal(const Hasher& h) {
  ASSERT_NE(h.affine(), nullptr);
  for (std::size_t i = 0; i < h.bits(); ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      EXPECT_NEAR(dot(*h.affine(), h.input_size(), i, j), i == j ? 1 : 0, 1e-4) << i << " " << j;
  }
}

ErrorCode refusal(const std::string& method, const FeatureSet& set, const BaselineOptions& options) {
  try {
    fit_baseline(method, set, options);
  } catch (const Error& e) {
    EXPECT_GT(std::string(e.what()).size(), 20u);
    return e.code();
  }
  return ErrorCode::kInternal;
}

std::string complaint(const std::string& method, const FeatureSet& set, const BaselineOptions& options) {
  try {
    fit_baseline(method, set, options);
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

class EveryMethod : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Baseline, EveryMethod, testing::ValuesIn(baseline_names()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::erase(name, '-');
  return name;
});

TEST_P(EveryMethod, LearnsSomethingAndTheSameForTheSameSeed) {
  const Data train = make_data(400, 1), test = make_data(120, 2);
  const auto hasher = fit_baseline(GetParam(), train.set(), with_bits(8));
  EXPECT_EQ(hasher->method(), GetParam());
  EXPECT_EQ(hasher->bits(), 8u);
  EXPECT_EQ(hasher->input_size(), 16u);
  const bool supervised = GetParam() == "itq-cca" || GetParam() == "ksh" || GetParam() == "sdh" || GetParam() == "fasthash" ||
                          GetParam() == "bilinear-lda";
  EXPECT_GT(separation(*hasher, test), supervised ? 0.97 : 0.6);
  EXPECT_EQ(hasher->outputs(test.values), fit_baseline(GetParam(), train.set(), with_bits(8))->outputs(test.values));
}

TEST_P(EveryMethod, OutputsAreThoseOfTheAffineMapAndOfOneVectorAtATime) {
  const Data train = make_data(200, 3);
  const auto hasher = fit_baseline(GetParam(), train.set(), with_bits(6));
  const std::vector<float> all = hasher->outputs(train.values);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::span<const float> x = std::span(train.values).subspan(i * 16, 16);
    const std::vector<float> one = hasher->outputs(x);
    for (std::size_t k = 0; k < 6; ++k) {
      EXPECT_NEAR(one[k], all[i * 6 + k], 1e-4f);
      if (hasher->affine() == nullptr) continue;
      double sum = static_cast<double>(hasher->affine()->bias[k]);
      for (std::size_t c = 0; c < 16; ++c)
        sum += static_cast<double>(hasher->affine()->weight[k * 16 + c]) * static_cast<double>(x[c]);
      EXPECT_NEAR(sum, static_cast<double>(one[k]), 1e-3);
    }
  }
  EXPECT_TRUE(hasher->outputs({}).empty());
  EXPECT_THROW(hasher->outputs(std::span(train.values).first(15)), Error);
  std::vector<float> bad(16, 0);
  bad[3] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(hasher->outputs(bad), Error);
}

TEST_P(EveryMethod, RefusesWhatItCannotLearnFrom) {
  const Data good = make_data(100, 4);
  EXPECT_EQ(refusal(GetParam(), good.set(), with_bits(0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(GetParam(), good.set(), with_bits(4097)), ErrorCode::kInvalidArgument);
  Data bad = good;
  bad.values[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal(GetParam(), bad.set(), with_bits(4)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal(GetParam(), {}, with_bits(4)), ErrorCode::kInvalidArgument);
  FeatureSet ragged = good.set();
  ragged.values = ragged.values.first(ragged.values.size() - 1);
  EXPECT_EQ(refusal(GetParam(), ragged, with_bits(4)), ErrorCode::kInvalidArgument);
  FeatureSet few_labels = good.set();
  few_labels.labels = few_labels.labels.first(99);
  EXPECT_EQ(refusal(GetParam(), few_labels, with_bits(4)), ErrorCode::kInvalidArgument);
  Data flat = good;
  std::fill(flat.values.begin(), flat.values.end(), 2.0f);
  EXPECT_NE(complaint(GetParam(), flat.set(), with_bits(4)).find("all 100 are equal"), std::string::npos);
}

TEST(Baseline, UnknownNamesAreUsageErrors) {
  EXPECT_EQ(refusal("itqq", make_data(10, 1).set(), with_bits(4)), ErrorCode::kUsage);
}

TEST(Baseline, SupervisedMethodsNeedTwoClassesAndAllLabels) {
  for (const char* method : {"itq-cca", "ksh", "sdh", "fasthash", "bilinear-lda"}) {
    Data one = make_data(100, 5);
    for (auto& labels : one.labels) labels = {7};
    EXPECT_EQ(refusal(method, one.set(), with_bits(4)), ErrorCode::kInvalidArgument) << method;
    for (auto& labels : one.labels) labels = {7, 9};  // two names of one class
    EXPECT_NE(complaint(method, one.set(), with_bits(4)).find("all 100 have the same labels"), std::string::npos) << method;
    Data gap = make_data(100, 5);
    gap.labels[50].clear();
    EXPECT_EQ(refusal(method, gap.set(), with_bits(4)), ErrorCode::kInvalidArgument) << method;
    FeatureSet none = gap.set();
    none.labels = {};
    EXPECT_EQ(refusal(method, none, with_bits(4)), ErrorCode::kInvalidArgument) << method;
    EXPECT_TRUE(learns_from_labels(method)) << method;
  }
}

TEST(Baseline, MoreBitsThanDirectionsAreRefusedWhereTheMethodEnds) {
  Data d = make_data(100, 6);
  for (const char* method : {"pcah", "itq", "isoh", "itq-cca", "bilinear", "bilinear-lda"}) {
    EXPECT_EQ(refusal(method, d.set(), with_bits(17)), ErrorCode::kInvalidArgument) << method;
  }
  for (std::size_t i = 0; i < 100; ++i) {  // three directions are left
    for (std::size_t k = 3; k < 16; ++k) d.values[i * 16 + k] = d.values[i * 16 + k % 3];
  }
  for (const char* method : {"pcah", "itq", "isoh"}) {
    EXPECT_NO_THROW(fit_baseline(method, d.set(), with_bits(3))) << method;
    EXPECT_EQ(refusal(method, d.set(), with_bits(4)), ErrorCode::kInvalidArgument) << method;
  }
  EXPECT_NO_THROW(fit_baseline("lsh", d.set(), with_bits(100)));
  EXPECT_NO_THROW(fit_baseline("sh", d.set(), with_bits(100)));
}

TEST(Baseline, ASingularCovarianceIsNamedWithItsRidge) {
  Data d = make_data(50, 7);
  for (std::size_t i = 0; i < 50; ++i) d.values[i * 16 + 15] = 2;
  BaselineOptions bare = with_bits(2);
  bare.ridge = 0;
  EXPECT_NE(complaint("itq-cca", d.set(), bare).find("singular with ridge 0"), std::string::npos);
  EXPECT_NO_THROW(fit_baseline("itq-cca", d.set(), with_bits(2)));
}

TEST(Baseline, VectorsTooLongForACovarianceAreRefusedBeforeItIsMade) {
  Data d;
  d.size = kMostCovarianceSize + 1;
  d.labels = {{0}, {1}};
  Random random(24);
  for (std::size_t k = 0; k < 2 * d.size; ++k) d.values.push_back(static_cast<float>(random.normal()));
  for (const std::string& method : baseline_names()) {
    if (!needs_covariance(method)) continue;
    const std::string why = complaint(method, d.set(), with_bits(1));
    for (const std::string& word : {method, std::string("16385 numbers"), std::string("2147745800 bytes"), std::string("16384")})
      EXPECT_NE(why.find(word), std::string::npos) << word << " is not in: " << why;
  }
  EXPECT_NO_THROW(fit_baseline("lsh", d.set(), with_bits(4)));
}

TEST(Baseline, FeaturesOfWhichSinglePrecisionMakesNoKernelAreRefused) {
  for (const float scale : {1e20f, 1e-21f}) {
    Data d = make_data(80, 25);
    for (float& value : d.values) value *= scale;
    for (const char* method : {"ksh", "sdh"})
      EXPECT_NE(complaint(method, d.set(), with_bits(4)).find("no kernel"), std::string::npos) << method << " " << scale;
  }
}

TEST(Baseline, AnchorsMustFit) {
  const Data d = make_data(40, 8);
  for (const char* method : {"ksh", "sdh"}) {
    BaselineOptions options = with_bits(4);
    options.anchors = 41;
    EXPECT_EQ(refusal(method, d.set(), options), ErrorCode::kInvalidArgument) << method;
    options.anchors = 1;
    EXPECT_EQ(refusal(method, d.set(), options), ErrorCode::kInvalidArgument) << method;
    options.anchors = 0;  // as published, or all there are
    EXPECT_NO_THROW(fit_baseline(method, d.set(), options)) << method;
  }
}

TEST(Baseline, AStopIsACancellation) {
  const Data d = make_data(60, 9);
  for (const char* method : {"itq", "itq-cca", "isoh", "ksh", "sdh", "fasthash", "bilinear", "bilinear-lda"}) {
    BaselineOptions options = with_bits(4);
    options.progress = [](const Progress& p) { return p.done < 2; };
    EXPECT_EQ(refusal(method, d.set(), options), ErrorCode::kCancelled) << method;
  }
}

TEST(Lsh, BitsDifferAsOftenAsTheAngleSays) {
  Data d;
  d.size = 2;
  d.values = {1,     0,
              -1,    0,
              0.5f,  static_cast<float>(std::sqrt(3) / 2),
              -0.5f, static_cast<float>(-std::sqrt(3) / 2)};  // mean 0; 60 degrees
  const CodeMatrix codes = fit_baseline("lsh", {d.values, 2, {}}, with_bits(4096))->encode(d.values);
  EXPECT_EQ(hamming_distance(codes.row(0), codes.row(1)), 4096u);
  EXPECT_NEAR(hamming_distance(codes.row(0), codes.row(2)) / 4096.0, 1.0 / 3, 0.03);
}

TEST(Pcah, FindsTheAxesOfADiagonalCovariance) {
  Data d;
  d.size = 4;
  const double deviation[] = {1, 3, 0.2, 2};
  Random random(10);
  for (int i = 0; i < 5000; ++i) {
    for (const double s : deviation) d.values.push_back(static_cast<float>(s * random.normal() + 5));
  }
  const auto h = fit_baseline("pcah", {d.values, 4, {}}, with_bits(3));
  const std::size_t axis[] = {1, 3, 0};
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(h->affine()->weight[k * 4 + axis[k]], 1, 0.01) << k;
  expect_orthonormal(*h);
}

TEST(Itq, RotatesAndItsErrorNeverRises) {
  const Data d = make_data(500, 11);
  const auto h = fit_baseline("itq", d.set(), with_bits(8));
  expect_orthonormal(*h);
  ASSERT_EQ(h->objective().size(), 50u);
  for (std::size_t i = 1; i < 50; ++i) EXPECT_LE(h->objective()[i], h->objective()[i - 1] + 1e-5);
  EXPECT_LT(h->objective().back(), 0.97 * h->objective().front());
}

TEST(ItqCca, OneBitOfTwoClassesIsFishersDirection) {
  // Within-class covariance diag(1, 16), class means (0, 0) and (1, 4): Fisher's direction is (1/1, 4/16).
  Data d;
  d.size = 2;
  Random random(12);
  for (int i = 0; i < 8000; ++i) {
    const double y = i % 2;
    d.labels.push_back({i % 2});
    d.values.push_back(static_cast<float>(random.normal() + y));
    d.values.push_back(static_cast<float>(4 * random.normal() + 4 * y));
  }
  const auto h = fit_baseline("itq-cca", d.set(), with_bits(1));
  EXPECT_NEAR(h->affine()->weight[1] / h->affine()->weight[0], 0.25, 0.03);
}

TEST(ItqCca, MoreBitsThanClassesStillSeparate) {
  const Data train = make_data(400, 13), test = make_data(100, 14);
  const auto h = fit_baseline("itq-cca", train.set(), with_bits(16));
  EXPECT_GT(separation(*h, test), 0.97);
  for (std::size_t i = 1; i < h->objective().size(); ++i) EXPECT_LE(h->objective()[i], h->objective()[i - 1] + 1e-4);
}

TEST(Sh, BitsAreTheCosinesOfAUniformLine) {
  Data d;
  d.size = 1;
  for (int i = 0; i <= 100; ++i) d.values.push_back(static_cast<float>(i) / 100);
  const std::vector<float> out = fit_baseline("sh", {d.values, 1, {}}, with_bits(3))->outputs(d.values);
  for (std::size_t i = 0; i <= 100; ++i) {
    for (std::size_t m = 1; m <= 3; ++m) {
      EXPECT_NEAR(out[i * 3 + m - 1], std::cos(static_cast<double>(m) * std::numbers::pi * static_cast<double>(i) / 100), 1e-4);
    }
  }
}

TEST(Sh, ALongDirectionGetsTwoBitsBeforeAShortOneGetsItsFirst) {
  Data d;  // ranges 10 and 1 on a grid: frequencies 1/10, ..., 9/10 of the first come before 1 of the second
  d.size = 2;
  for (int i = 0; i <= 20; ++i) {
    for (int j = 0; j <= 20; ++j) d.values.push_back(static_cast<float>(i) / 2), d.values.push_back(static_cast<float>(j) / 20);
  }
  const auto h = fit_baseline("sh", {d.values, 2, {}}, with_bits(4));
  const CodeMatrix codes = h->encode(std::vector<float>{2, 0, 2, 1});
  EXPECT_EQ(hamming_distance(codes.row(0), codes.row(1)), 0u);
}

// They vary in one direction, by less than single precision holds of a projection onto it.
TEST(Sh, VectorsWhoseProjectionsAreEqualAreRefused) {
  const std::vector<float> values{1e8f, 1e8f, 1e8f + 8, 1e8f + 8};
  EXPECT_NE(complaint("sh", {values, 2, {}}, with_bits(1)).find("nearer to 0"), std::string::npos);
}

TEST(Isoh, ProjectionsHaveEqualVariance) {
  const Data d = make_data(600, 15);
  const auto h = fit_baseline("isoh", d.set(), with_bits(6));
  expect_orthonormal(*h);
  const std::vector<float> out = h->outputs(d.values);
  std::vector<double> variance(6);
  for (std::size_t i = 0; i < 600; ++i) {
    for (std::size_t k = 0; k < 6; ++k)
      variance[k] += static_cast<double>(out[i * 6 + k]) * static_cast<double>(out[i * 6 + k]) / 600;
  }
  const auto [low, high] = std::minmax_element(variance.begin(), variance.end());
  EXPECT_LT(*high / *low, 1.01);
}

TEST(Ksh, EveryBitBringsTheCodesNearerToTheLabels) {
  const Data d = make_data(300, 16, 0.6);
  const auto h = fit_baseline("ksh", d.set(), with_bits(8));
  ASSERT_EQ(h->objective().size(), 8u);
  for (std::size_t i = 1; i < 8; ++i) EXPECT_LT(h->objective()[i], h->objective()[i - 1]) << i;
}

TEST(FastHash, MoreBitsLowerTheLossForEachBit) {
  const Data train = make_data(300, 19, 0.6), test = make_data(120, 20, 0.6);
  const auto h = fit_baseline("fasthash", train.set(), with_bits(12));
  ASSERT_EQ(h->objective().size(), 12u);
  EXPECT_LT(h->objective().back(), 0.5 * h->objective().front());
  EXPECT_GT(separation(*h, test), 0.9);
}

TEST(FastHash, FormsPairsOfTwoToTwentyThousandLabelledVectors) {
  const Data small = make_data(60, 21, 0.6);
  BaselineOptions options = with_bits(4);
  options.labelled = 1;
  EXPECT_EQ(refusal("fasthash", small.set(), options), ErrorCode::kInvalidArgument);
  const Data large = make_data(20'001, 22, 0.6);
  options.labelled = 20'001;
  EXPECT_EQ(refusal("fasthash", large.set(), options), ErrorCode::kInvalidArgument);
}

// What a record says of the options is what the fit does with them.
TEST(EffectiveOptions, AreThePublishedOnesAndNoMoreThanThereAre) {
  const Data d = make_data(100, 23, 0.6);
  BaselineOptions plain;
  plain.bits = 4;
  const auto of = [&](const char* method, std::size_t vectors) { return effective_options(method, plain, vectors); };
  for (const char* method : {"itq", "itq-cca", "bilinear"})
    EXPECT_EQ(fit_baseline(method, d.set(), plain)->objective().size(), of(method, 100).rounds) << method;
  EXPECT_EQ(fit_baseline("sdh", d.set(), plain)->objective().size(), of("sdh", 100).rounds + 1);
  EXPECT_EQ(of("isoh", 100).rounds, 300u);
  EXPECT_EQ(of("fasthash", 100).rounds, 200u);
  EXPECT_EQ(of("ksh", 100).anchors, 100u);
  EXPECT_EQ(of("ksh", 5000).anchors, 300u);
  EXPECT_EQ(of("sdh", 5000).anchors, 1000u);
  EXPECT_EQ(of("ksh", 100).labelled, 100u);
  plain.rounds = 7, plain.anchors = 9, plain.labelled = 50;
  EXPECT_EQ(of("sdh", 100).rounds, 7u);
  EXPECT_EQ(of("sdh", 100).anchors, 9u);
  EXPECT_EQ(of("sdh", 100).labelled, 50u);
  EXPECT_THROW(of("nothing", 100), Error);
}

TEST(Sdh, ItsObjectiveNeverRises) {
  const Data d = make_data(300, 17, 0.6);
  BaselineOptions options = with_bits(12);
  options.rounds = 8;
  const auto h = fit_baseline("sdh", d.set(), options);
  ASSERT_EQ(h->objective().size(), 9u);
  for (std::size_t i = 1; i < 9; ++i) EXPECT_LE(h->objective()[i], h->objective()[i - 1] * (1 + 1e-5)) << i;
  EXPECT_LT(h->objective().back(), 0.9 * h->objective().front());
}

TEST(Bilinear, TwoRotationsWhoseObjectiveNeverFalls) {
  const Data d = make_data(300, 18);
  BaselineOptions options = with_bits(6);
  options.rows = 4;
  const auto h = fit_baseline("bilinear", d.set(), options);
  expect_orthonormal(*h);
  for (std::size_t i = 1; i < h->objective().size(); ++i) EXPECT_GE(h->objective()[i], h->objective()[i - 1] - 1e-4);
  const float* w = h->affine()->weight.data();  // 4 x 4, an outer product: all 2 x 2 minors vanish
  for (std::size_t r = 1; r < 4; ++r) {
    for (std::size_t c = 1; c < 4; ++c) EXPECT_NEAR(w[0] * w[r * 4 + c], w[c] * w[r * 4], 1e-5f);
  }
  options.rows = 5;
  EXPECT_EQ(refusal("bilinear", d.set(), options), ErrorCode::kInvalidArgument);
  options.rows = 4, options.bits = 7;  // 7 is no product of at most 4 by at most 4
  EXPECT_EQ(refusal("bilinear", d.set(), options), ErrorCode::kInvalidArgument);
}

// Matrices of 3 x 4 whose entry (1, 2) alone tells two classes apart, less than all others vary.
Data one_entry(std::size_t n) {
  Data d;
  d.size = 12;
  Random random(21);
  for (std::size_t i = 0; i < n; ++i) {
    d.labels.push_back({static_cast<std::int32_t>(i % 2)});
    for (std::size_t k = 0; k < 12; ++k) {
      const bool tells = k == 6;
      d.values.push_back(static_cast<float>(random.normal() * (tells ? 0.2 : 1.5) + (tells ? (i % 2 == 0 ? 0.6 : -0.6) : 0)));
    }
  }
  return d;
}

TEST(BilinearLda, FindsTheRowAndTheColumnThatTellTheClassesApart) {
  const Data d = one_entry(400);
  BaselineOptions options = with_bits(1);
  options.rows = 3;
  const auto h = fit_baseline("bilinear-lda", d.set(), options);
  const float* w = h->affine()->weight.data();
  for (std::size_t k = 0; k < 12; ++k) {
    if (k != 6) {
      EXPECT_LT(std::abs(w[k]), 0.2f * std::abs(w[6])) << k;
    }
  }
  EXPECT_GT(separation(*h, d), 0.95);
  EXPECT_LT(separation(*fit_baseline("bilinear", d.set(), options), d), 0.6);  // without labels it follows what varies most
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(w[6] * w[r * 4 + c], w[r * 4 + 2] * w[4 + c], 1e-4f * w[6] * w[6]);
  }
}

TEST(BilinearLda, RefusesWhatItCannotLearnFrom) {
  Data d = one_entry(40);
  BaselineOptions options = with_bits(4);
  options.rows = 3, options.ridge = -1;
  EXPECT_EQ(refusal("bilinear-lda", d.set(), options), ErrorCode::kInvalidArgument);
  options.ridge = 0;
  for (std::size_t i = 0; i < 40; ++i)
    std::fill_n(d.values.begin() + static_cast<std::ptrdiff_t>(i * 12), 12, i % 2 == 0 ? 1.0f : -1.0f);
  EXPECT_EQ(refusal("bilinear-lda", d.set(), options), ErrorCode::kInvalidArgument);  // nothing varies within a class
  for (auto& labels : d.labels) labels = {3};
  EXPECT_EQ(refusal("bilinear-lda", d.set(), options), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
