#include <algorithm>
#include <cstddef>
#include <vector>

#include "eval/html_parts.h"
#include "eval/text.h"
#include "signet/base/base64.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

// Width of a PNG from bytes 16 to 19, in its IHDR chunk; 0 where there are fewer.
std::uint32_t png_width(const std::vector<std::byte>& png) noexcept {
  std::uint32_t width = 0;
  for (std::size_t i = 16; i < 20 && png.size() >= 20; ++i) width = width << 8 | std::to_integer<std::uint32_t>(png[i]);
  return width;
}

std::string picture(const GalleryItem& item, const std::string& alt) {
  const auto png = from_base64(item.png_base64);
  if (!png || png->empty()) fail(ErrorCode::kInvalidArgument, "the picture of '", item.key, "' is not base64 of a PNG file");
  const bool small = png_width(*png) <= 96;  // enlarged as sharp squares, not as a blur
  return concat("<img alt=\"", escape(alt), "\" src=\"data:image/png;base64,", item.png_base64, "\"",
                small ? " class=\"pixels\"" : "", ">");
}

std::string hit(const GalleryItem& item) {
  const char* verdict = item.relevant ? "right" : "wrong";
  return concat("<li class=\"", verdict, "\" title=\"", escape(item.key), "\">",
                picture(item, concat(item.label, ", distance ", item.distance, ", ", verdict)),
                "<span class=\"verdict\"><b aria-hidden=\"true\">", item.relevant ? "✓" : "✗", "</b> ", verdict,
                "</span><span class=\"label\">", escape(item.label), "</span><span class=\"distance\">distance ", item.distance,
                "</span></li>");
}

}  // namespace

std::string gallery_section(const std::vector<GalleryRow>& rows) {
  if (rows.empty()) return {};
  std::size_t right = 0, all = 0;
  for (const GalleryRow& row : rows) {
    all += row.hits.size();
    right += static_cast<std::size_t>(
        std::count_if(row.hits.begin(), row.hits.end(), [](const GalleryItem& h) { return h.relevant; }));
  }
  std::string out = concat(
      "<section aria-labelledby=\"gallery\"><h2 id=\"gallery\">What it finds</h2><p>Each row: a query picture on the left, its "
      "nearest neighbours to the "
      "right, nearest first. ",
      right, " of these ", all,
      " neighbours are of the query’s class. <span class=\"key right\"><b aria-hidden=\"true\">✓</b> right</span>, solid line: "
      "same class; <span "
      "class=\"key wrong\"><b aria-hidden=\"true\">✗</b> wrong</span>, dashed line: another class.</p><div class=\"gallery\">");
  for (const GalleryRow& row : rows) {
    out += concat("<div class=\"row\"><figure class=\"query\" title=\"", escape(row.query.key), "\">",
                  picture(row.query, "query: " + row.query.label),
                  "<figcaption><span class=\"verdict\">query</span><span class=\"label\">", escape(row.query.label),
                  "</span></figcaption></figure><ol>");
    for (const GalleryItem& h : row.hits) out += hit(h);
    out += "</ol></div>";
  }
  return out + "</div></section>";
}

}  // namespace signet::eval
