#include "signet/kernel/hamming.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

// Memory whose last byte is followed by a page that may not be touched, and whose first is preceded by one.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::size_t size) : size_(size), page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    inner_ = (size + page_ - 1) / page_ * page_;
    base_ = static_cast<std::uint8_t*>(
        ::mmap(nullptr, inner_ + 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    ::mprotect(base_, page_, PROT_NONE);
    ::mprotect(base_ + page_ + inner_, page_, PROT_NONE);
  }
  ~GuardedBytes() { ::munmap(base_, inner_ + 2 * page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  std::uint8_t* at_end() { return base_ + page_ + inner_ - size_; }  // the last byte is the last before the guard
  std::uint8_t* at_start() { return base_ + page_; }

 private:
  std::size_t size_, page_, inner_ = 0;
  std::uint8_t* base_ = nullptr;
};

void fill_random(std::uint8_t* rows, std::size_t count, std::uint32_t bits, Random& random) {
  const std::size_t row = row_bytes(bits);
  std::memset(rows, 0, count * row);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint32_t k = 0; k < bits; k += 8) {
      const std::uint32_t used = std::min(8u, bits - k);
      rows[i * row + k / 8] = static_cast<std::uint8_t>(random.next() & ((1u << used) - 1));
    }
  }
}

std::uint16_t plain_distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t row) {
  int sum = 0;
  for (std::size_t i = 0; i < row; ++i) sum += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
  return static_cast<std::uint16_t>(sum);
}

std::vector<std::uint32_t> lengths() {
  std::vector<std::uint32_t> bits;
  for (std::uint32_t b = 1; b <= 72; ++b) bits.push_back(b);
  for (std::uint32_t b : {96u,  127u, 128u, 129u, 192u,  255u,  256u,  257u,  320u,  448u,
                          512u, 513u, 576u, 640u, 1000u, 1024u, 2048u, 2049u, 4095u, 4096u}) {
    bits.push_back(b);
  }
  return bits;
}

class HammingKernelTest : public testing::TestWithParam<const HammingKernel*> {
 protected:
  void SetUp() override {
    if (!GetParam()->supported()) GTEST_SKIP() << GetParam()->name << " is not supported here";
  }
  const HammingKernel& kernel() const { return *GetParam(); }
};

TEST_P(HammingKernelTest, ScanEqualsTheDefinitionAtEveryLengthAndTail) {
  Random random(1);
  for (const std::uint32_t bits : lengths()) {
    const std::size_t row = row_bytes(bits);
    for (const std::size_t count : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 31u, 33u, 100u}) {
      GuardedBytes codes(count * row), query(row);
      fill_random(codes.at_end(), count, bits, random);
      fill_random(query.at_end(), 1, bits, random);
      std::vector<std::uint16_t> got(count + 1, 0xabcd);
      kernel().scan(query.at_end(), codes.at_end(), count, row, got.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(got[i], plain_distance(query.at_end(), codes.at_end() + i * row, row))
            << bits << " bits, code " << i << " of " << count;
      }
      ASSERT_EQ(got[count], 0xabcd) << "wrote behind the end";
    }
  }
}

TEST_P(HammingKernelTest, RowsAtTheStartOfAPageReadNothingBeforeThem) {
  Random random(2);
  for (const std::uint32_t bits : {12u, 24u, 64u, 128u, 256u, 1000u}) {
    const std::size_t row = row_bytes(bits), count = 67;
    GuardedBytes codes(count * row);
    fill_random(codes.at_start(), count, bits, random);
    std::vector<std::uint16_t> got(count);
    kernel().scan(codes.at_start(), codes.at_start(), count, row, got.data());
    EXPECT_EQ(got[0], 0);
    EXPECT_EQ(got[66], plain_distance(codes.at_start(), codes.at_start() + 66 * row, row));
  }
}

struct PlainHit {
  std::uint32_t position, distance;
  friend bool operator==(const PlainHit&, const PlainHit&) = default;
};

TEST_P(HammingKernelTest, SelectNamesExactlyTheCodesBelowTheBoundInOrder) {
  Random random(3);
  for (const std::uint32_t bits : lengths()) {
    const std::size_t row = row_bytes(bits);
    for (const std::size_t count : {0u, 1u, 5u, 8u, 63u, 64u, 65u, 300u, 515u}) {
      if (count * row > 40000) continue;
      const std::size_t queries = 1 + random.below(5);
      GuardedBytes codes(count * row), query(queries * row), hits(queries * count * sizeof(KernelHit));
      fill_random(codes.at_end(), count, bits, random);
      fill_random(query.at_end(), queries, bits, random);
      std::vector<std::uint16_t> bounds(queries);
      for (auto& bound : bounds) bound = static_cast<std::uint16_t>(random.below(bits + 2));
      bounds[0] = std::array<std::uint16_t, 3>{static_cast<std::uint16_t>(bits + 1), 0x8000, 0xffff}[count % 3];  // all of them
      auto* out = reinterpret_cast<KernelHit*>(hits.at_end());
      const std::size_t found = kernel().select(query.at_end(), queries, codes.at_end(), count, row, bounds.data(), out);
      for (std::size_t q = 0; q < queries; ++q) {
        std::vector<PlainHit> expected, got;
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint32_t d = plain_distance(query.at_end() + q * row, codes.at_end() + i * row, row);
          if (d < bounds[q]) expected.push_back({static_cast<std::uint32_t>(i), d});
        }
        for (std::size_t h = 0; h < found; ++h) {
          if (out[h].query == q) got.push_back({out[h].position, out[h].distance});
        }
        ASSERT_EQ(got, expected) << bits << " bits, " << count << " codes, query " << q << " below " << bounds[q];
      }
    }
  }
}

// Rows and queries at odd addresses, to all three functions.
TEST_P(HammingKernelTest, UnalignedRowsGiveTheSame) {
  Random random(4);
  for (const std::uint32_t bits : {16u, 32u, 64u, 128u, 192u, 256u, 320u, 512u}) {
    const std::size_t row = row_bytes(bits), count = 130, queries = 3;
    for (std::size_t shift = 1; shift < 64; shift += 7) {
      GuardedBytes codes(count * row + shift), query(queries * row + 1);
      std::uint8_t *rows = codes.at_start() + shift, *asked = query.at_start() + 1;
      fill_random(rows, count, bits, random);
      fill_random(asked, queries, bits, random);
      const std::vector<std::uint16_t> bounds(queries, 0xffff);  // all of them
      std::vector<KernelHit> hits(queries * count);
      ASSERT_EQ(kernel().select(asked, queries, rows, count, row, bounds.data(), hits.data()), hits.size()) << bits;
      for (const KernelHit& hit : hits) {
        ASSERT_EQ(hit.distance, plain_distance(asked + hit.query * row, rows + hit.position * row, row)) << bits;
      }
      std::vector<std::uint64_t> positions(count);
      for (std::size_t i = 0; i < count; ++i) positions[i] = count - 1 - i;
      std::vector<std::uint16_t> scanned(count), gathered(count);
      kernel().scan(asked, rows, count, row, scanned.data());
      kernel().gather(asked, rows, positions.data(), count, row, gathered.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(scanned[i], plain_distance(asked, rows + i * row, row)) << bits;
        ASSERT_EQ(gathered[count - 1 - i], scanned[i]) << bits;
      }
    }
  }
}

TEST_P(HammingKernelTest, SelectWithABoundOfZeroFindsNothing) {
  std::vector<std::uint8_t> codes(8 * 1000);
  std::vector<KernelHit> hits(1000);
  const std::uint16_t none = 0, equal = 1;
  EXPECT_EQ(kernel().select(codes.data(), 1, codes.data(), 1000, 8, &none, hits.data()), 0u);
  EXPECT_EQ(kernel().select(codes.data(), 1, codes.data(), 1000, 8, &equal, hits.data()), 1000u);
  EXPECT_EQ(hits[999].position, 999u);
}

TEST_P(HammingKernelTest, GatherReadsThePositionsNamed) {
  Random random(5);
  for (const std::uint32_t bits : lengths()) {
    const std::size_t row = row_bytes(bits), count = 50;
    GuardedBytes codes(count * row), query(row);
    fill_random(codes.at_end(), count, bits, random);
    fill_random(query.at_end(), 1, bits, random);
    std::vector<std::uint64_t> positions;
    for (std::size_t i = 0; i < 77; ++i) positions.push_back(i == 0 ? count - 1 : random.below(count));
    std::vector<std::uint16_t> got(positions.size());
    kernel().gather(query.at_end(), codes.at_end(), positions.data(), positions.size(), row, got.data());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      ASSERT_EQ(got[i], plain_distance(query.at_end(), codes.at_end() + positions[i] * row, row)) << bits;
    }
  }
}

TEST_P(HammingKernelTest, ComplementIsAtTheLargestDistance) {
  std::vector<std::uint8_t> zero(512, 0), one(512, 0xff);
  std::uint16_t got = 0;
  kernel().scan(zero.data(), one.data(), 1, 512, &got);
  EXPECT_EQ(got, 4096);
}

INSTANTIATE_TEST_SUITE_P(All, HammingKernelTest, testing::ValuesIn(hamming_kernels().begin(), hamming_kernels().end()),
                         [](const auto& kernel) { return std::string(kernel.param->name); });

TEST(HammingKernels, AreListedOnceWithTheReferenceAmongThem) {
  std::vector<std::string> names;
  for (const HammingKernel* kernel : hamming_kernels()) names.emplace_back(kernel->name);
  EXPECT_EQ(names, (std::vector<std::string>{"avx512", "avx2", "neon", "portable"}));
  EXPECT_TRUE(find_hamming_kernel("portable").supported());
}

TEST(HammingKernels, AnUnknownNameIsAnErrorThatNamesTheRest) {
  try {
    find_hamming_kernel("mmx");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("\"mmx\""), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("portable"), std::string::npos);
  }
  EXPECT_THROW(find_hamming_kernel("neon"), Error);
}

TEST(HammingKernels, RowsAreAsWideAsNeeded) {
  EXPECT_EQ(row_bytes(1), 2u);
  EXPECT_EQ(row_bytes(16), 2u);
  EXPECT_EQ(row_bytes(17), 4u);
  EXPECT_EQ(row_bytes(32), 4u);
  EXPECT_EQ(row_bytes(33), 8u);
  EXPECT_EQ(row_bytes(65), 16u);
  EXPECT_EQ(row_bytes(4096), 512u);
}

}  // namespace
}  // namespace signet
