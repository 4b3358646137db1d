#pragma once

#include <cstddef>

// What BaselineOptions means by 0: the values of the papers (signet/baseline/methods.h names them).
namespace signet::published {

inline constexpr std::size_t kItqRounds = 50, kIsohRounds = 300, kSdhRounds = 5, kBilinearRounds = 20;
inline constexpr std::size_t kFastHashTrees = 200;  // a bit
inline constexpr std::size_t kKshAnchors = 300, kSdhAnchors = 1000;

}  // namespace signet::published
