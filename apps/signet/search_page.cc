#include "apps/signet/search_page.h"

#include "signet/base/error.h"

namespace signet::cli {
namespace {

constexpr std::uint32_t kSide = 112;  // pixels of a picture on the page

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; }
figure { margin: 0; width: 7rem; font-size: .8rem; }
figure img, .gone { width: 7rem; height: 7rem; object-fit: contain; background: #8882; border-radius: .3rem; image-rendering: auto; }
.gone { display: grid; place-items: center; opacity: .6; }
.query img { outline: 3px solid #3b82f6; }
figcaption { overflow-wrap: anywhere; } .key { opacity: .65; }
</style>
)";

std::string figure(const std::string& picture, const std::string& alt, const std::string& caption, const char* style) {
  std::string html = concat("<figure class=\"", style, "\">");
  html += picture.empty() ? std::string("<div class=\"gone\">no picture</div>")
                          : concat("<img alt=\"", escape_html(alt), "\" src=\"data:image/png;base64,", picture, "\">");
  return html + "<figcaption>" + caption + "</figcaption></figure>\n";
}

}  // namespace

std::string search_page(const std::string& title, const std::vector<PageQuery>& queries, PictureLibrary& library) {
  std::string html = concat(kHead, "<title>", escape_html(title), "</title></head><body>\n<h1>", escape_html(title), "</h1>\n");
  for (const PageQuery& query : queries) {
    html += concat("<h2>", escape_html(query.name), "</h2>\n<div class=\"row\">\n");
    html += figure(query.picture_base64, query.name, "query", "query");
    for (const PageHit& hit : query.hits) {
      const auto picture = library.find(hit.key);
      const std::string caption = concat("distance ", hit.distance, hit.label == "-" ? "" : " &middot; " + escape_html(hit.label),
                                         "<br><span class=\"key\">", escape_html(hit.key), "</span>");
      html += figure(picture ? thumbnail_base64(*picture, kSide) : std::string(), hit.key, caption, "hit");
    }
    html += query.hits.empty() ? "<p>nothing within the radius</p></div>\n" : "</div>\n";
  }
  return html + "</body></html>\n";
}

}  // namespace signet::cli
