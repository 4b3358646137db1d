#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace signet::bench {

// Writes a tar of `count` JPEG pictures of width x height made from smooth random patches, ten classes as folders.
void write_jpeg_tar(const std::string& path, std::size_t count, std::uint32_t width, std::uint32_t height);

}  // namespace signet::bench
