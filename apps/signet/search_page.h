#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/signet/pictures.h"

namespace signet::cli {

struct PageHit {
  std::string key, label;
  std::uint32_t distance = 0;
};

struct PageQuery {
  std::string name;
  std::string picture_base64;  // PNG; empty where the query is no picture
  std::vector<PageHit> hits;
};

// One self-contained HTML page: every query with its hits as pictures, taken from `library`; a hit whose picture is gone shows
// its key alone.
std::string search_page(const std::string& title, const std::vector<PageQuery>& queries, PictureLibrary& library);

}  // namespace signet::cli
