#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signet::reader {

// A regular file in an archive. Its bytes are archive[offset, offset + size), checked to be inside.
struct TarMember {
  std::string name;  // without "./" and doubled slashes
  std::size_t offset = 0, size = 0;
};

// Members of a tar (POSIX.1-1988 USTAR, pax records `path` and `size`, GNU long names and base-256 numbers), in the order of the
// archive; of equal names the last counts, as when unpacking; hard links give their target's bytes. Nothing is unpacked. Throws
// kCorrupt naming `name` and the offset for a wrong checksum, a truncated archive, an absolute path or one with "..", and
// kUnsupported for compressed archives, sparse files, and symbolic links to pictures.
std::vector<TarMember> list_tar(std::span<const std::byte> archive, const std::string& name);

// Whether the first block is a tar header, by its checksum.
bool looks_like_tar(std::span<const std::byte> head) noexcept;

}  // namespace signet::reader
