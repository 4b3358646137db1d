#include <nlohmann/json.hpp>

#include "eval/compare_parts.h"
#include "eval/text.h"
#include "signet/base/base64.h"
#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet {
namespace eval {
namespace {

constexpr std::size_t kLargestPicture = 16 << 10, kMostPictures = 4096, kMostShown = 12;  // bytes; methods
constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

struct Shown {
  const ComparedRow* row = nullptr;
  const ResultRecord* record = nullptr;  // its first with examples
};

// Methods of one length whose examples are answers to the same queries, best first; the shortest length that has any.
std::vector<Shown> shown_rows(const ComparedSection& section) {
  std::vector<Shown> shown;
  for (const ComparedRow& row : section.rows) {
    const auto with = std::find_if(row.records.begin(), row.records.end(), [](auto* r) { return !r->examples.empty(); });
    if (with == row.records.end()) continue;
    if (!shown.empty() && (shown[0].record->bits != (*with)->bits || shown[0].record->query_set != (*with)->query_set)) continue;
    if (shown.size() < kMostShown) shown.push_back({&row, *with});
  }
  return shown;
}

class Pictures {
 public:
  explicit Pictures(const ExamplePictures& all) : all_(all) {}
  // Pictures of one data set look the same whatever record they came with.
  const std::string* find(const std::vector<Shown>& shown, const std::string& key) const {
    for (const Shown& s : shown) {
      const auto file = all_.find(s.record->name);
      if (file == all_.end()) continue;
      if (const auto at = file->second.find(key); at != file->second.end()) return &at->second;
    }
    return nullptr;
  }

 private:
  const ExamplePictures& all_;
};

std::string tile(const std::vector<Shown>& shown, const Pictures& pictures, const ExampleImage& image, const std::string& alt) {
  const std::string* png = pictures.find(shown, image.key);
  if (png == nullptr) return concat("<span class=\"no-picture\" role=\"img\" aria-label=\"", escape(alt), "\"></span>");
  return concat("<img class=\"pixels\" alt=\"", escape(alt), "\" src=\"data:image/png;base64,", *png, "\">");
}

std::string strip(const std::vector<Shown>& shown, const Pictures& pictures, const ExampleQuery& example) {
  std::string out = "<ol class=\"hits\">";
  for (const ExampleImage& hit : example.hits) {
    const char* verdict = hit.relevant ? "right" : "wrong";
    out += concat("<li class=\"", verdict, "\" title=\"", escape(hit.label), ", distance ", hit.distance, "\">",
                  tile(shown, pictures, hit, concat(hit.label, ", distance ", hit.distance, ", ", verdict)),
                  "<span aria-hidden=\"true\">", hit.relevant ? "✓" : "✗", " ", hit.distance, "</span></li>");
  }
  return out + "</ol>";
}

}  // namespace

std::string compare_examples(const std::string& id, const ComparedSection& section, const ExamplePictures& all) {
  const std::vector<Shown> shown = shown_rows(section);
  if (shown.empty()) return {};
  const Pictures pictures(all);
  std::string out = concat(
      "<h3 id=\"", id, "-e\">The same queries, method by method, ", shown[0].record->bits,
      " bits</h3>\n<p>The nearest images, nearest first, with their distance. <span class=\"key right\"><b "
      "aria-hidden=\"true\">✓</b> right</span>, solid line: same class; <span class=\"key wrong\"><b aria-hidden=\"true\">✗</b> "
      "wrong</span>, dashed line: another class.</p>\n");
  for (std::size_t q = 0; q < shown[0].record->examples.size(); ++q) {
    const ExampleImage& query = shown[0].record->examples[q].query;
    out += concat("<div class=\"example\"><figure class=\"query\">", tile(shown, pictures, query, "query: " + query.label),
                  "<figcaption>query: <b>", escape(query.label), "</b></figcaption></figure><dl>");
    for (const Shown& s : shown) {
      if (q >= s.record->examples.size() || s.record->examples[q].query.key != query.key) continue;
      out += concat("<dt>", escape(s.row->name), "</dt><dd>", strip(shown, pictures, s.record->examples[q]), "</dd>");
    }
    out += "</dl></div>\n";
  }
  return out;
}

}  // namespace eval

std::map<std::string, std::string> parse_pictures(const std::string& json, const std::string& name) {
  std::map<std::string, std::string> pictures;
  try {
    const nlohmann::json parsed = nlohmann::json::parse(json);
    for (const auto& [key, value] : parsed.at("pictures").items()) {
      const std::string& text = value.get_ref<const std::string&>();
      const auto bytes = text.size() <= 2 * eval::kLargestPicture ? from_base64(text) : std::nullopt;
      const bool png =
          bytes && bytes->size() <= eval::kLargestPicture && bytes->size() > eval::kPngSignature.size() &&
          std::equal(eval::kPngSignature.begin(), eval::kPngSignature.end(), bytes->begin(),
                     [](char a, std::byte b) { return static_cast<unsigned char>(a) == std::to_integer<unsigned char>(b); });
      if (!png || pictures.size() == eval::kMostPictures)
        fail(ErrorCode::kCorrupt, name, ": the picture of \"", key.substr(0, 80), "\" is no PNG of at most ",
             eval::kLargestPicture, " bytes as base64, or one of more than ", eval::kMostPictures);
      pictures[key] = text;
    }
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is no file of pictures: ", json_defect(error.what()));
  }
  return pictures;
}

}  // namespace signet
