#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace signet::reader {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

// RFC 4180 with `separator`: quoted cells, doubled quotes, line ends \n or \r\n, also inside quotes. A UTF-8 mark at the
// beginning and empty lines are left out. Throws kCorrupt naming the line for an open quote, text behind a closing quote and NUL
// bytes, kUnsupported for UTF-16.
std::vector<CsvRow> parse_csv(std::span<const std::byte> bytes, char separator, const std::string& name);

}  // namespace signet::reader
