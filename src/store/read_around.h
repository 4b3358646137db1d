#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"

namespace signet::store {

// A part of a file that the disk does not give back: the bytes [from, to).
struct Unreadable {
  std::uint64_t from = 0, to = 0;
  std::string why;
};
std::string unreadable_text(const Unreadable& part);

// Reads a file to its end and hands every piece on, in order, with zeros where it cannot be read. Returns those parts. For tools
// that look at damaged files, before they touch a mapping: a part that cannot be read would end the process there.
std::vector<Unreadable> read_around(FileSystem& fs, const std::string& path,
                                    const std::function<void(std::span<const std::byte>)>& take);

// What of a file can be read.
struct ReadFile {
  std::vector<Unreadable> unreadable;
  std::unique_ptr<MappedFile> content;  // in memory, zeros in place of those parts; null where there are none: it may be mapped
};
ReadFile read_around(FileSystem& fs, const std::string& path);

}  // namespace signet::store
