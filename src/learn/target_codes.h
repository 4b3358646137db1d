#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signet {

// Codes that a comparison method fixes before it trains. All are functions of their arguments, so that a resumed run has the
// same ones without keeping them.

// Rows of `bits` values, +1 or -1.
struct SignRows {
  std::size_t bits = 0;
  std::vector<std::int8_t> values;
  std::size_t size() const { return bits > 0 ? values.size() / bits : 0; }
  std::span<const std::int8_t> row(std::size_t i) const { return std::span(values).subspan(i * bits, bits); }
};

enum class CentreKind {
  // Rows of [H; -H], H the Hadamard matrix of order `bits`: any two differ in half of the bits or in all. Where `bits` is no
  // power of two or there are more than 2 `bits` classes: kBalanced (Yuan et al., CVPR 2020).
  kHadamard,
  kBalanced,   // random, half of the bits +1 (for an odd number the odd one is thrown too)
  kBernoulli,  // random, every bit +1 or -1 with the same probability
};

// One centre a class, all different. Of up to 1,000 random draws (fewer where classes x classes x bits is large) the one with the
// fewest bits that are the same in all centres is taken, and among those the one with the largest least distance: a bit that
// never changes says nothing, and no network whose outputs are centred can learn it. Throws kInvalidArgument, naming --loss
// `method`, where `bits` do not give as many different centres as there are classes.
SignRows class_centres(CentreKind kind, std::size_t classes, std::size_t bits, std::uint64_t seed, const std::string& method);

// The code of several classes at once: for every bit the majority of their centres; where they are even, that of a random code.
SignRows majority_codes(const SignRows& centres, std::span<const std::vector<std::int32_t>> sets, std::uint64_t seed);

// The codes that the network of CNNH is to learn (Xia et al., AAAI 2014): coordinate descent on
//
//   sum_ij (S_ij - h_i.h_j / K)^2 over h in [-1,1]^K,   S_ij = +1 where i and j share a label, else -1,
//
// each coordinate by Newton's steps, then the signs. Rows of S are equal for images of equal labels, and S_ii = 1 asks for equal
// codes, so that here a code belongs to a set of labels and counts as often as there are images of it: time O(sets^2 K) in
// place of O(images^2 K). In addition bits are flipped at the end for as long as that lowers the sum.
// `counts`: images of each set. At most kMostLabelSets sets; throws kInvalidArgument.
inline constexpr std::size_t kMostLabelSets = 4096;
SignRows descent_codes(std::span<const std::vector<std::int32_t>> sets, std::span<const std::size_t> counts, std::size_t bits,
                       std::uint64_t seed);

}  // namespace signet
