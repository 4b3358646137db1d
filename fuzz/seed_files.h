#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Files of other people's formats, as small as they can be, for make_seeds.
namespace signet::fuzz {

std::string little(std::uint64_t value, int bytes);
std::string big(std::uint64_t value, int bytes);
std::string joined(const std::string& first, const std::string& second);  // what fuzz::cut takes apart
std::string gzip(std::string_view content);
std::string idx_images(std::uint32_t count, std::uint32_t side);
std::string idx_labels(std::uint32_t count);
std::string tar(const std::vector<std::pair<std::string, std::string>>& members);
std::string bmp();
std::string tiff();
std::string webp();

}  // namespace signet::fuzz
