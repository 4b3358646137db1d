#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace signet::eval {

inline constexpr std::size_t kDotColumns = 32;  // database rows a panel

// The database of a cosine ranking, normalised and laid out in panels of kDotColumns rows, transposed: panel p holds, for every
// dimension, that value of its 32 rows. Rows beyond the end are zero.
std::vector<float> pack_panels(std::span<const float> rows, std::size_t size);

// scores[r * stride + c] = query r . database row c for `rows` queries (normalised, `size` values each) and all panels.
// stride >= panels * kDotColumns. Every product sums the same dimensions in the same order, wherever the row stands: equal rows
// get equal scores, exactly.
void dot_products(const float* queries, std::size_t rows, const std::vector<float>& panels, std::size_t size, float* scores,
                  std::size_t stride);

// Each row divided by its Euclidean length (a zero row stays zero).
std::vector<float> normalised(std::span<const float> rows, std::size_t size);

}  // namespace signet::eval
