#pragma once

#include <string>
#include <vector>

namespace signet::cli {

// One line of CSV (RFC 4180): fields with commas, quotes or line breaks are quoted.
std::string csv_line(const std::vector<std::string>& fields);

void write_csv(const std::string& path, const std::vector<std::vector<std::string>>& rows);  // atomically

}  // namespace signet::cli
