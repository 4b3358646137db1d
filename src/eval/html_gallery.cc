#include <algorithm>
#include <array>

#include "eval/html_parts.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

int base64_digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void check_base64(const GalleryItem& item) {
  const std::string& s = item.png_base64;
  const std::size_t end = s.find_last_not_of('=');
  const std::size_t digits = end == std::string::npos ? 0 : end + 1;
  const bool good =
      s.size() % 4 == 0 && digits > 0 && s.size() - digits <= 2 &&
      std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(digits), [](char c) { return base64_digit(c) >= 0; });
  if (!good) fail(ErrorCode::kInvalidArgument, "the picture of '", item.key, "' is not base64 of a PNG file");
}

// Width of a PNG from bytes 16 to 19 of its IHDR chunk; 0 where the text is too short.
std::uint32_t png_width(const std::string& base64) noexcept {
  if (base64.size() < 28) return 0;
  std::array<unsigned, 21> bytes{};
  for (std::size_t i = 0; i < 7; ++i) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 4; ++k) group = group << 6 | static_cast<unsigned>(std::max(0, base64_digit(base64[i * 4 + k])));
    bytes[i * 3] = group >> 16 & 255, bytes[i * 3 + 1] = group >> 8 & 255, bytes[i * 3 + 2] = group & 255;
  }
  return bytes[16] << 24 | bytes[17] << 16 | bytes[18] << 8 | bytes[19];
}

std::string picture(const GalleryItem& item, const std::string& alt) {
  check_base64(item);
  const bool small = png_width(item.png_base64) <= 96;  // enlarged as sharp squares, not as a blur
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
