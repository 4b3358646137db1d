#include <nlohmann/json.hpp>

#include "eval/compare_parts.h"
#include "eval/spread.h"

namespace signet {
namespace {

using Json = nlohmann::ordered_json;

Json spread_json(const Spread& s) {
  if (s.count == 0) return nullptr;
  return {{"mean", s.mean}, {"deviation", s.count > 1 ? Json(s.deviation) : Json(nullptr)}, {"seeds", s.count}};
}

Json published_json(const PublishedNumber& number) {
  const PublishedRow& row = *number.row;
  return {{"method", row.method},
          {"source", row.source},
          {"protocol", row.protocol},
          {"remark", row.remark},
          {"imagenet", row.imagenet < 0 ? Json(nullptr) : Json(row.imagenet > 0)},
          {"bits", number.bits},
          {"map", number.map()}};
}

Json difference_json(const ComparedDifference& d, const std::vector<ComparedRow>& rows) {
  using Verdict = ComparedDifference::Verdict;
  Json j = {{"verdict", d.verdict == Verdict::kNone ? Json(nullptr) : Json(verdict_text(d))}};
  if (d.against != ComparedDifference::kNoRow) j["against"] = rows[d.against].name;
  if (d.verdict == Verdict::kNotCompared) j["why"] = d.why_not;
  if (d.verdict == Verdict::kBetter || d.verdict == Verdict::kWorse || d.verdict == Verdict::kNotShown)
    j.update({{"mean", d.mean}, {"low", d.low}, {"high", d.high}, {"these_trainings_alone", d.these_trainings_alone}});
  return j;
}

Json row_json(const ComparedRow& row, const std::vector<ComparedRow>& rows) {
  const ResultRecord& r = row.first();
  Json seeds = Json::array(), files = Json::array();
  for (const ResultRecord* one : row.records) seeds.push_back(one->seed), files.push_back(one->name);
  const auto spread = [&](const std::function<double(const ResultRecord&)>& get) {
    return spread_json(eval::spread_of(row.records, get));
  };
  Json j = {{"method", r.method}, {"plan", r.plan}, {"bits", r.bits}, {"network_bits", r.network_bits}, {"seeds", seeds}};
  j["map"] = spread_json(row.map);
  j["difference"] = difference_json(row.difference, rows);
  j["published"] = row.published == nullptr ? Json(nullptr) : published_json({row.published, r.bits});
  j["train_seconds"] = spread([](const ResultRecord& one) { return one.train_seconds; });
  j["image_passes"] = spread([](const ResultRecord& one) { return static_cast<double>(one.image_passes); });
  j["precision_at_radius_2"] = spread([](const ResultRecord& one) { return one.precision_at_radius_2; });
  j["mean_bit_entropy"] = spread([](const ResultRecord& one) { return one.mean_bit_entropy; });
  j["distinct_codes"] = spread([](const ResultRecord& one) { return static_cast<double>(one.distinct_codes); });
  j["records"] = files;
  return j;
}

}  // namespace

std::string compare_json(const Comparison& c) {
  Json all = {{"against", c.options.against},
              {"confidence", c.options.bootstrap.confidence},
              {"rounds", c.options.bootstrap.rounds},
              {"bootstrap_seed", c.options.bootstrap.seed},
              {"sections", Json::array()},
              {"published_elsewhere", Json::array()}};
  for (const ComparedSection& s : c.sections) {
    Json section = {{"protocol", s.first().protocol}, {"cutoff", s.first().cutoff},   {"dataset", s.first().dataset},
                    {"pictures", s.first().pictures}, {"comparisons", s.comparisons}, {"confidence_each", s.confidence},
                    {"sentences", s.sentences},       {"rows", Json::array()},        {"published", Json::array()}};
    for (const ComparedRow& row : s.rows) section["rows"].push_back(row_json(row, s.rows));
    for (const PublishedNumber& number : s.published) section["published"].push_back(published_json(number));
    all["sections"].push_back(std::move(section));
  }
  for (const PublishedNumber& number : c.elsewhere) all["published_elsewhere"].push_back(published_json(number));
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace signet
