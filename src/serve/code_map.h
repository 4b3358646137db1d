#pragma once

#include <cstdint>
#include <vector>

#include "signet/serve/service.h"

namespace signet {

// `count` images, evenly spread over `ids`, with their codes projected on the first two principal components of their bits as +-1
// (power iteration on a sample from fixed starts: the same picture every time), each axis scaled to [-1, 1].
CodeMap make_code_map(const CollectionView& view, const CollectionInfo& info, const std::vector<std::uint64_t>& ids,
                      std::size_t count);

}  // namespace signet
