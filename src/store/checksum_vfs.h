#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace signet::store {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::size_t kPageReserved = 8;
inline constexpr std::size_t kWalHeader = 32;
inline constexpr std::size_t kWalFrameHeader = 24;
inline constexpr const char* kLenientParameter = "signet_lenient";  // URI parameter: checksums are not checked (for salvage)

// SQLite's pages have no checksums. This VFS puts one into the reserved bytes of every page that goes into a catalog, checks it
// on every read, and checks the frame checksums of the log on every read of a frame (SQLite itself does that only during
// recovery). A failed check is SQLITE_IOERR_DATA. docs/format/collection.md has the layout.
//
// Registers the VFS over `base` ("" is the system's default) with SQLite where that has not happened yet, and returns its name.
// Thread-safe. Registration is per process because SQLite has no other way; the VFS has no state of its own. Throws
// kInvalidArgument for an unknown base.
std::string checksum_vfs(const std::string& base);

// CRC of a page as stored in its reserved bytes. page: kPageSize bytes; number counts from 1.
std::uint32_t page_crc(std::span<const std::byte> page, std::uint32_t number) noexcept;
bool page_is_good(std::span<const std::byte> page,
                  std::uint32_t number) noexcept;  // also true for a page of zeros, which was never written

// SQLite's log checksum over pairs of 32-bit words, continued from `sum` (two words). data: a multiple of 8 bytes.
struct WalSum {
  std::uint32_t s0 = 0, s1 = 0;
  friend bool operator==(const WalSum&, const WalSum&) = default;
};
WalSum wal_sum(std::span<const std::byte> data, WalSum sum, bool big_endian) noexcept;
std::uint32_t big32(const std::byte* p) noexcept;  // the log's numbers are big-endian

}  // namespace signet::store
