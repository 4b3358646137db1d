#pragma once

#include <bit>
#include <cstdint>

#include "learn/torch.h"

namespace signet {

// Elements of tensors as our loops read and write them: float32, or bfloat16 by its bits (the upper half of a float32).

inline float load(float value) { return value; }
inline float load(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

inline void store(float value, float& target) { target = value; }
// Rounded to nearest, ties to even. A NaN made from bfloat16 has no lower bits to carry, so it stays one.
inline void store(float value, std::uint16_t& target) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  target = static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <typename T>
T* data(const at::Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

// Whether our loops can take it: an element type of the above, in the memory of the CPU.
inline bool has_our_elements(const at::Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

inline constexpr std::int64_t kGrain = 1 << 14;  // elements a thread takes at least

}  // namespace signet
