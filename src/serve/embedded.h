#pragma once

#include <span>
#include <string_view>

namespace signet {

// A file that is part of the program (cmake/signet_embed.cmake).
struct EmbeddedFile {
  std::string_view path;  // relative, "assets/app.js"
  std::string_view content;
};

std::span<const EmbeddedFile> page_files() noexcept;     // web/dist, or the page that says how to build it
std::span<const EmbeddedFile> openapi_files() noexcept;  // openapi.json

}  // namespace signet
