#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"

namespace signet::reader {

// A regular file in an archive. Its bytes are archive[offset, offset + size), checked to be inside.
struct TarMember {
  std::string name;  // without "./" and doubled slashes
  std::size_t offset = 0, size = 0;
};

// Members of a tar (POSIX.1-1988 USTAR, pax records `path` and `size`, GNU long names and base-256 numbers), in the order of the
// archive; of equal names the last counts, as when unpacking; hard links give their target's bytes. Nothing is unpacked. Throws
// kCorrupt naming `name` and the offset for a wrong checksum, a truncated archive, an absolute path or one with "..", and
// kUnsupported for compressed archives, sparse files, and symbolic links to pictures; of a file kIo too, where it cannot be read
// or becomes shorter meanwhile.
std::vector<TarMember> list_tar(const ReadableFile& archive, const std::string& name);
std::vector<TarMember> list_tar(std::span<const std::byte> archive, const std::string& name);

// Whether the first block is a tar header, by its checksum.
bool looks_like_tar(std::span<const std::byte> head) noexcept;

}  // namespace signet::reader
