#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signet/base/file_system.h"

namespace signet {

enum class Access { kNone, kRead, kWrite };  // ascending: who may write may read

// The keys that a service accepts, kept as their SHA-256. Immutable, safe from many threads.
class AccessKeys {
 public:
  AccessKeys() = default;  // no keys: is_open()

  // Reads lines "read KEY" and "write KEY"; empty lines and lines that begin with # are left out. A key has 16 to 256 printable
  // characters without blanks. Throws kInvalidArgument naming file and line, or where there is no key in it, or where others
  // than its owner and group may read the file.
  static AccessKeys from_file(FileSystem& fs, const std::string& path);
  static AccessKeys parse(std::string_view text, const std::string& name);

  bool is_open() const noexcept { return keys_.empty(); }  // nobody needs a key
  bool can_write() const noexcept;                         // there is a write key
  struct Match {
    Access access = Access::kNone;
    std::string_view key;  // its digest, which names it however the header is spelled; empty: it is none of these keys
  };
  // The key in the header "Bearer KEY". Compares with every key, in a time that does not depend on where they differ. What it
  // returns must not outlive these keys.
  Match match(std::string_view authorization) const;
  Access allowed(std::string_view authorization) const { return match(authorization).access; }

 private:
  struct Key {
    std::string digest;
    Access access;
  };
  std::vector<Key> keys_;
};

// Equal content, in a time that depends on the lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace signet
