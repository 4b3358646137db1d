#include "eval/results_tables.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "eval/spread.h"
#include "eval/text.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/code_matrix.h"
#include "signet/eval/compare.h"
#include "signet/eval/search_cost.h"

namespace signet::eval {
namespace {

using Rows = std::vector<const ResultRecord*>;

constexpr const char* kNone = "–";

std::string without_spread(const Spread& s, int digits) { return s.count == 0 ? kNone : fixed(s.mean, digits); }

std::string show(const Rows& rows, double ResultRecord::*member, int digits = 4) {
  return spread_text(spread_of(rows, [member](const ResultRecord& r) { return r.*member; }), digits);
}

// Of methods without a network that knows classes the real numbers are those that the signs were taken of.
std::string show_float(const Rows& rows) {
  return show(rows, &ResultRecord::float_map) + (rows.front()->float_of == "outputs" ? " (outputs)" : "");
}

// Rows of one key, keys in the order in which they are met.
template <typename Key>
std::vector<std::pair<Key, Rows>> grouped_by(const Rows& rows, const std::function<Key(const ResultRecord&)>& key) {
  std::vector<std::pair<Key, Rows>> groups;
  for (const ResultRecord* r : rows) {
    auto place = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == key(*r); });
    if (place == groups.end()) place = groups.insert(groups.end(), {key(*r), {}});
    place->second.push_back(r);
  }
  return groups;
}

std::vector<std::pair<std::string, Rows>> by_method(const Rows& rows) {
  return grouped_by<std::string>(rows, [](const ResultRecord& r) { return r.method; });
}

Rows of_bits(const Rows& rows, std::uint32_t bits) {
  Rows some;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(some), [bits](const ResultRecord* r) { return r->bits == bits; });
  return some;
}

// A JPEG copy of a data set is not the data set: said beside every number.
std::string with_loss(const Rows& rows, const char* before) {
  const std::string& pictures = rows.front()->pictures;
  return pictures.find("JPEG") == std::string::npos ? "" : before + pictures;
}

std::string heading_of(const Rows& rows) {
  return measure_of(*rows.front()) + (with_loss(rows, "").empty() ? "" : ", from JPEG files");
}

// Code lengths across, methods down: ours, their bounds where there is one method alone, and what others printed for this
// protocol.
ResultTable overview(const Rows& rows, const std::vector<PublishedRow>& published) {
  std::set<std::uint32_t> lengths;
  for (const ResultRecord* r : rows) lengths.insert(r->bits);
  std::vector<const PublishedRow*> others;
  // Variants alone compare with each other; published numbers stand beside the headline.
  const bool headline = std::any_of(rows.begin(), rows.end(), [](auto* r) { return r->method == "signet"; });
  for (const PublishedRow& row : published) {
    if (!headline || row.protocol != rows.front()->protocol) continue;
    others.push_back(&row);
    for (const auto& [bits, value] : row.map) lengths.insert(bits);
  }
  ResultTable table{concat("mAP by code length; mean ± standard deviation over seeds", with_loss(rows, "; ")), {"method"}, {}};
  for (const std::uint32_t bits : lengths) table.head.push_back(concat(bits, " bits"));
  table.head.emplace_back("remark");
  const auto methods = by_method(rows);
  const auto add = [&](const std::string& name, const Rows& of, double ResultRecord::*member, const std::string& remark) {
    std::vector<std::string> row{name};
    for (const std::uint32_t bits : lengths) row.push_back(show(of_bits(of, bits), member));
    row.push_back(remark);
    table.rows.push_back(std::move(row));
  };
  for (const auto& [method, of] : methods) add(method, of, &ResultRecord::map, of.front()->remark);
  if (methods.size() == 1) {
    add("class number", rows, &ResultRecord::class_id_map, "the same network's arg-max class as a code");
    add("float features", rows, &ResultRecord::float_map, "the same network's features by cosine, nothing coded");
  }
  for (const PublishedRow* other : others) {
    std::vector<std::string> row{concat("published: ", other->method, ", ", other->source)};
    for (const std::uint32_t bits : lengths) row.push_back(other->map.contains(bits) ? fixed(other->map.at(bits), 3) : kNone);
    row.push_back(other->remark);
    table.rows.push_back(std::move(row));
  }
  return table;
}

double minutes_to_goal(const ResultRecord& r) {
  for (const ValidationPoint& p : r.validation)
    if (r.goal >= 0 && p.map >= r.goal) return p.seconds / 60;
  return -1;
}

// Seeds that never get there are counted, as a mean of the others alone would flatter.
std::string time_to_goal(const Rows& rows) {
  const Spread reached = spread_of(rows, minutes_to_goal);
  return concat(spread_text(reached, 1), reached.count == 0 || reached.count == rows.size()
                                             ? ""
                                             : concat(" (", reached.count, " of ", rows.size(), " seeds)"));
}

// The lower one of two in the middle.
double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// At the end of training; -1 where they were not measured.
ValidationPoint last_losses(const ResultRecord& r) { return r.validation.empty() ? ValidationPoint{} : r.validation.back(); }

// Of the index that answers soonest what lies within two bits: its median over seeds, as one seed beside other work would rule a
// mean. Seeds that did not time this radius are left out.
std::string query_time(const Rows& rows) {
  std::map<std::string, std::vector<double>> times;
  for (const ResultRecord* r : rows)
    for (const SearchCost& c : r->search_cost)
      if (c.radius == kTableRadius) times[c.index].push_back(c.microseconds);
  std::string best = kNone;
  double least = HUGE_VAL;
  for (const auto& [index, of_seeds] : times) {
    const double median = median_of(of_seeds);
    if (median < least) least = median, best = concat(fixed(median, 1), " (", index, ")");
  }
  return best;
}

ResultTable details(const Rows& rows) {
  const bool graded = std::any_of(rows.begin(), rows.end(), [](auto* r) { return r->weighted_map >= 0; });
  const auto goal = std::find_if(rows.begin(), rows.end(), [](auto* r) { return r->goal >= 0; });
  ResultTable table{
      "What each number was and cost" + with_loss(rows, "; "),
      {"method, bits", "seeds", "mAP", "worst to best tie order", "class number", "float", "P within r 2", "distinct codes"},
      {}};
  if (graded) table.head.insert(table.head.end(), {"NDCG@100", "weighted mAP"});
  table.head.insert(table.head.end(), {"image passes", "training min", "images/s", "GFLOP/s", "PFLOP", "peak MiB",
                                       "encode images/s", "bytes a code", "µs a query, r <= 2"});
  const bool validated = std::any_of(rows.begin(), rows.end(), [](auto* r) { return r->validation_map >= 0; });
  const bool both_losses = std::any_of(rows.begin(), rows.end(), [](auto* r) { return last_losses(*r).soft_loss >= 0; });
  if (validated) table.head.emplace_back("validation mAP");
  if (both_losses) table.head.emplace_back("validation loss, soft and exact");
  if (goal != rows.end()) table.head.push_back(concat("min to validation mAP ", fixed((*goal)->goal, 2)));
  using Key = std::pair<std::string, std::uint32_t>;
  for (const auto& [key, of] : grouped_by<Key>(rows, [](const ResultRecord& r) { return Key{r.method, r.bits}; })) {
    std::string seeds;
    for (const ResultRecord* r : of) seeds += concat(seeds.empty() ? "" : ", ", r->seed);
    const auto mean = [&rows = of](auto get) { return spread_of(rows, get); };
    const ResultRecord& first = *of.front();
    std::string name = concat(key.first, ", ", key.second);
    if (first.network_bits != first.bits) name += concat(" of ", first.network_bits);
    std::vector<std::string> row{name,
                                 seeds,
                                 show(of, &ResultRecord::map),
                                 fixed(mean([](auto& r) { return r.map_pessimistic; }).mean, 4) + " to " +
                                     fixed(mean([](auto& r) { return r.map_optimistic; }).mean, 4),
                                 show(of, &ResultRecord::class_id_map),
                                 show_float(of),
                                 show(of, &ResultRecord::precision_at_radius_2),
                                 spread_text(mean([](auto& r) { return static_cast<double>(r.distinct_codes); }), 0)};
    if (graded) row.insert(row.end(), {show(of, &ResultRecord::ndcg_at_100), show(of, &ResultRecord::weighted_map)});
    const auto whole = [&](auto get) {
      const Spread s = mean(get);
      return s.count == 0 ? std::string(kNone) : with_commas(static_cast<std::uint64_t>(std::llround(s.mean)));
    };
    row.push_back(whole([](auto& r) { return static_cast<double>(r.image_passes); }));
    row.push_back(without_spread(mean([](auto& r) { return r.train_seconds / 60; }), 1));
    row.push_back(whole([](auto& r) { return r.images_per_second; }));
    row.push_back(whole([](auto& r) { return r.train_seconds > 0 && r.pflop >= 0 ? r.pflop * 1e6 / r.train_seconds : -1; }));
    row.push_back(without_spread(mean([](auto& r) { return r.pflop; }), 3));
    row.push_back(whole([](auto& r) { return r.peak_memory_mib; }));
    row.push_back(whole([](auto& r) { return r.encode_images_per_second; }));
    row.push_back(std::to_string(bytes_per_code(first.bits)));
    row.push_back(query_time(of));
    if (validated) row.push_back(show(of, &ResultRecord::validation_map));
    if (both_losses)
      row.push_back(concat(without_spread(mean([](auto& r) { return last_losses(r).soft_loss; }), 3), ", ",
                           without_spread(mean([](auto& r) { return last_losses(r).exact_loss; }), 3)));
    if (goal != rows.end()) row.push_back(time_to_goal(of));
    table.rows.push_back(std::move(row));
  }
  table.numbers_alone = true;
  return table;
}

template <typename Get>
std::string each_once(const Rows& rows, const char* between, const Get& get) {
  std::vector<std::string> seen;
  std::string all;
  for (const ResultRecord* r : rows) {
    const std::string text = get(*r);
    if (text.empty() || std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
    seen.push_back(text);
    all += concat(all.empty() ? "" : between, text);
  }
  return all;
}

constexpr std::size_t kRounds = 1000;  // of the bootstrap: the pages are made anew in every run of the tests

// A table with signet and other methods says who wins, and where signet does not.
std::vector<std::string> verdicts_of(const Rows& rows) {
  const auto is_reference = [](const ResultRecord* r) { return r->method == CompareOptions{}.against; };
  const auto is_rival = [](const ResultRecord* r) { return !r->method.starts_with(CompareOptions{}.against); };
  if (std::none_of(rows.begin(), rows.end(), is_reference) || std::none_of(rows.begin(), rows.end(), is_rival)) return {};
  std::vector<ResultRecord> copies;
  for (const ResultRecord* r : rows) copies.push_back(*r);
  CompareOptions options;
  options.bootstrap.rounds = kRounds;
  std::vector<std::string> all;
  for (const ComparedSection& section : compare_results(std::move(copies), {}, options).sections)
    all.insert(all.end(), section.sentences.begin(), section.sentences.end());
  return all;
}

ResultPart part_of(const std::string& id, const Rows& rows, const std::vector<PublishedRow>& published) {
  const ResultRecord& first = *rows.front();
  ResultPart part;
  part.heading = heading_of(rows);
  part.text.push_back(concat("Data: ", first.dataset, "; ", first.pictures, "."));
  if (!first.protocol_split.empty())
    part.text.push_back(concat(first.protocol_remark, " (", first.protocol_split, "; ", with_commas(first.queries), " queries, ",
                               with_commas(first.database), " images in the database.)"));
  std::set<std::string> notes;
  for (const ResultRecord* r : rows) notes.insert(r->notes.begin(), r->notes.end());
  for (const std::string& note : notes) part.text.push_back("Note: " + note + ".");
  part.tables = {overview(rows, published), details(rows)};
  part.verdicts = verdicts_of(rows);
  part.text.push_back(concat(
      "Made on ",
      each_once(rows, "; ", [](auto& r) { return concat(r.cpu, ", ", r.threads, r.threads == 1 ? " thread" : " threads"); }),
      ", with signet ", each_once(rows, ", ", [](auto& r) { return r.version; }), "."));
  part.charts = result_charts(id, rows);
  return part;
}

// Orders names by the values of the numbers in them, "a2" before "a12": the count of a number's digits goes before it.
std::string by_number(const std::string& name) {
  std::string key;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t end = std::min(name.find_first_not_of("0123456789", i), name.size());
    if (end > i) key += concat(static_cast<char>('0' + std::min<std::size_t>(9, end - i)), name.substr(i, end - i));
    if (end < name.size()) key += name[end];
    i = end + 1;
  }
  return key;
}

// In the order of the pages.
Rows sorted(const std::vector<ResultRecord>& records) {
  Rows rows;
  for (const ResultRecord& r : records) rows.push_back(&r);
  std::sort(rows.begin(), rows.end(), [](const ResultRecord* a, const ResultRecord* b) {
    const std::string mine = by_number(a->method), other = by_number(b->method);
    return std::tie(b->headline, a->plan, a->protocol, a->dataset, mine, a->bits, a->seed, a->name) <
           std::tie(a->headline, b->plan, b->protocol, b->dataset, other, b->bits, b->seed, b->name);
  });
  return rows;
}

using SectionKey = std::tuple<std::string, std::uint64_t, std::string, std::string, std::string>;
SectionKey key_of_section(const ResultRecord& r) { return section_key(r); }

// The highest that others printed for this protocol and length, but for those whose network or features are said to have seen
// ImageNet.
std::string best_published(const std::vector<PublishedRow>& published, const ResultRecord& beside) {
  const PublishedRow* best = nullptr;
  for (const PublishedRow& row : published) {
    if (row.protocol != beside.protocol || row.imagenet > 0 || !row.map.contains(beside.bits)) continue;
    if (best == nullptr || row.map.at(beside.bits) > best->map.at(beside.bits)) best = &row;
  }
  return best == nullptr ? std::string(kNone)
                         : concat(fixed(best->map.at(beside.bits), 3), " (", best->method,
                                  best->imagenet < 0 ? ", weights not stated)" : ", no ImageNet)");
}

}  // namespace

ResultTable headlines(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published) {
  Rows rows = sorted(records);
  std::erase_if(rows, [](const ResultRecord* r) { return !r->headline || !r->method.starts_with("signet"); });
  std::set<std::uint32_t> lengths;
  for (const ResultRecord* r : rows) lengths.insert(r->bits);
  ResultTable table{"mAP by code length; mean ± standard deviation over seeds", {"protocol, row"}, {}};
  for (const std::uint32_t bits : lengths) table.head.push_back(concat(bits, " bits"));
  table.head.insert(table.head.end(), {"class number", "float features", "seeds"});
  if (!rows.empty())
    table.head.push_back(concat("published, ", *lengths.begin(), " bits, without those said to be from ImageNet weights"));
  using Key = std::pair<SectionKey, std::string>;
  for (const auto& [key, of] : grouped_by<Key>(rows, [](const ResultRecord& r) { return Key{key_of_section(r), r.method}; })) {
    std::vector<std::string> row{heading_of(of) + (key.second == "signet" ? "" : ", " + key.second)};
    for (const std::uint32_t bits : lengths) row.push_back(show(of_bits(of, bits), &ResultRecord::map));
    const Rows shortest = of_bits(of, of.front()->bits);
    row.push_back(show(shortest, &ResultRecord::class_id_map));
    row.push_back(show_float(shortest));
    row.push_back(each_once(of, ", ", [](auto& r) { return std::to_string(r.seed); }));
    row.push_back(of.front()->bits == *lengths.begin() ? best_published(published, *of.front()) : kNone);
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<ResultSection> result_sections(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published) {
  const Rows rows = sorted(records);
  std::vector<ResultSection> sections;
  for (const auto& [plan, of_plan] : grouped_by<std::string>(rows, [](auto& r) { return r.plan; })) {
    ResultSection section{of_plan.front()->plan_title, of_plan.front()->plan_text, {}};
    for (const auto& [key, some] : grouped_by<SectionKey>(of_plan, key_of_section))
      section.parts.push_back(part_of(concat("s", sections.size(), "p", section.parts.size()), some, published));
    sections.push_back(std::move(section));
  }
  return sections;
}

ResultTable other_published(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published) {
  std::set<std::string> measured;
  for (const ResultRecord& r : records) measured.insert(r.protocol);
  ResultTable table{"Published under protocols that have no record here: for reading, not for comparing",
                    {"method", "protocol", "mAP by bits", "remark"},
                    {}};
  for (const PublishedRow& row : published) {
    if (measured.contains(row.protocol)) continue;
    std::string values;
    for (const auto& [bits, value] : row.map) values += concat(values.empty() ? "" : ", ", bits, ": ", fixed(value, 3));
    table.rows.push_back({concat(row.method, ", ", row.source), row.protocol, values, row.remark});
  }
  return table;
}

}  // namespace signet::eval
