// A record of an experiment, as signet compare takes it from anywhere: reading, judging against a made record, the page and the
// JSON.
#include "fuzz/fuzz.h"
#include "signet/eval/compare.h"

namespace {

constexpr const char* kReference =
    R"({"method": "signet", "protocol": "full", "bits": 12, "seed": 1, "map": 0.5, "map_optimistic": 0.6, "map_pessimistic": 0.4,
        "precision_at_radius_2": 0.3, "train_seconds": 60, "image_passes": 100, "version": "1", "query_set": "a",
        "query_ap": {"count": 2, "step": 1, "values": "AAD//w=="}})";

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::value_or_error([&] { parse_pictures(text, "x.pictures"); });
  fuzz::value_or_error([&] {
    const ResultRecord record = parse_result(text, "x.json");
    fuzz::require(record.query_ap.size() * 2 <= size, "no more values than the text holds");
    fuzz::require(record.map >= 0 && record.map <= 1, "a mAP between 0 and 1");
    CompareOptions options;
    options.bootstrap.rounds = 100;
    const Comparison comparison = compare_results({record, parse_result(kReference, "reference.json")}, {}, options);
    const std::string page = compare_html(comparison);
    fuzz::require(page.find("<script", page.find("<script") + 1) == std::string::npos, "no script but the page's own");
    compare_json(comparison);
    results_pages({record}, {});
  });
  return 0;
}
