#include "signet/code/first_bits.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet {

CodeMatrix first_bits(const CodeMatrix& codes, std::uint32_t bits) {
  if (bits < 1 || bits > codes.bits())
    fail(ErrorCode::kInvalidArgument, "the first ", bits, " bits cannot be taken of codes of ", codes.bits(), " bits");
  CodeMatrix shorter(codes.size(), bits);
  const auto last = static_cast<std::uint8_t>(~padding_mask(bits));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto target = shorter.row(i);
    std::copy_n(codes.row(i).begin(), target.size(), target.begin());
    target.back() &= last;
  }
  return shorter;
}

}  // namespace signet
