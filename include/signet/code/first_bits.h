#pragma once

#include <cstdint>

#include "signet/code/code_matrix.h"

namespace signet {

// The first `bits` bits of every code, as codes of that length: what a nested model's shorter codes are (shorten() in
// encode/model.h), without encoding again. Throws kInvalidArgument unless 1 <= bits <= codes.bits().
CodeMatrix first_bits(const CodeMatrix& codes, std::uint32_t bits);

}  // namespace signet
