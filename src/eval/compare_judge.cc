#include <algorithm>
#include <map>
#include <tuple>

#include "eval/compare_parts.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet {
namespace eval {
namespace {

using Verdict = ComparedDifference::Verdict;

// The row that others of this length are compared with: of the same plan where it has one, else the one that saw the fewest
// images, as a headline's long training would be no fair measure; and trained for this length where one was. Whatever their mAP.
std::size_t reference_for(const ComparedSection& section, const ComparedRow& row, const std::string& method) {
  std::size_t found = ComparedDifference::kNoRow;
  const auto rank = [&](const ComparedRow& other) {
    const ResultRecord& r = other.first();
    return std::make_tuple(r.plan != row.first().plan, r.network_bits != r.bits, r.image_passes);
  };
  for (std::size_t i = 0; i < section.rows.size(); ++i) {
    const ComparedRow& other = section.rows[i];
    if (other.first().method != method || other.first().bits != row.first().bits) continue;
    if (found == ComparedDifference::kNoRow || rank(other) < rank(section.rows[found])) found = i;
  }
  return found;
}

// Rows of one code length against one reference. They share what they know of how trainings differ: few seeds of each say little,
// those of all together more, and a row of one seed is held to it too (the error term of a one-way analysis of variance, which
// supposes that the methods' trainings vary alike).
struct Group {
  std::vector<ComparedRow*> rows;
  const ComparedRow* reference = nullptr;
};

// The pair, or none where the two have no queries in common, which is written into the row.
bool can_pair(const Resampler& resampler, ComparedRow& row, const ComparedRow& reference) {
  try {
    resampler.check(row.records, reference.records);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kMismatch) throw;
    row.difference.verdict = Verdict::kNotCompared;
    row.difference.why_not = error.what();
    return false;
  }
}

void judge(const Resampler& resampler, const Group& group, double confidence) {
  const Resampler::Records& reference = group.reference->records;
  std::vector<Resampler::Pair> pairs;
  std::vector<ComparedDifference*> differences;
  for (ComparedRow* row : group.rows)
    if (can_pair(resampler, *row, *group.reference)) {
      pairs.push_back({&row->records, &reference});
      differences.push_back(&row->difference);
    }
  const SeedSpread seeds = resampler.seed_spread(pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const PairedDifference paired = resampler.difference(pairs[i], seeds, confidence);
    ComparedDifference& d = *differences[i];
    d.mean = paired.mean, d.low = paired.low, d.high = paired.high;
    d.these_trainings_alone = !seeds.is_known();
    d.verdict = !paired.significant ? Verdict::kNotShown : paired.mean > 0 ? Verdict::kBetter : Verdict::kWorse;
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) all += concat(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return all;
}

std::string name_in_sentence(const ComparedRow& row) {
  return row.first().bits == row.first().network_bits ? row.name : concat(row.name, " (", bits_text(row), " bits)");
}

std::string interval(const ComparedDifference& d) { return concat(fixed(d.low, 4), " to ", fixed(d.high, 4)); }

struct Length {  // the rows of one code length that are compared with one reference, which is among them
  std::uint32_t bits = 0;
  std::vector<const ComparedRow*> rows;  // best mean first
  const ComparedRow* reference = nullptr;
  bool alone = true;  // no other reference has rows at this length
  std::vector<std::string> of(Verdict verdict) const {
    std::vector<std::string> names;
    for (const ComparedRow* row : rows)
      if (row->difference.verdict == verdict) names.push_back(name_in_sentence(*row));
    return names;
  }
};

std::string not_first(const Length& length) {
  const ComparedRow& best = *length.rows.front();
  const ComparedDifference& d = best.difference;
  std::string out =
      concat("At ", length.bits, " bits ", length.reference->name, " does not win: ", name_in_sentence(best), " has a mAP of ",
             fixed(best.map.mean, 4), ", ", length.reference->name, " ", fixed(length.reference->map.mean, 4));
  if (d.verdict == Verdict::kBetter)
    out += concat(". The difference is shown (interval ", interval(d), ").");
  else if (d.verdict == Verdict::kNotCompared)
    out += concat(". Whether that is more than chance cannot be said: ", d.why_not, ".");
  else
    out += concat(", which is not shown to be more than chance (interval ", interval(d), ").");
  if (const auto better = length.of(Verdict::kBetter); !better.empty() && (better.size() > 1 || d.verdict != Verdict::kBetter))
    out += concat(" Better than ", length.reference->name, ": ", listed(better), ".");
  return out;
}

// Where too few trainings were repeated, a difference that is shown is one of these trainings, and not of the methods.
std::string trainings_alone(const Length& length) {
  const bool alone = std::any_of(length.rows.begin(), length.rows.end(),
                                 [](const ComparedRow* row) { return row->difference.these_trainings_alone; });
  return alone ? " Too few trainings were repeated with other seeds: all this is said of these alone." : "";
}

std::string sentence(const Length& length) {
  if (length.reference == nullptr) {
    const ComparedRow& best = *length.rows.front();
    return concat("At ", length.bits, " bits ", name_in_sentence(best),
                  length.rows.size() > 1 ? " has the highest mAP, " : " is alone, with a mAP of ", fixed(best.map.mean, 4), ".");
  }
  if (length.rows.size() == 1)
    return concat("At ", length.bits, " bits there is nothing to compare ", length.reference->name, " with.");
  std::string out =
      length.rows.front() != length.reference
          ? not_first(length)
          : concat("At ", length.bits, " bits ", length.reference->name, " has the highest mAP",
                   length.alone ? ", " : " of what is compared with it, ", fixed(length.reference->map.mean, 4), ".");
  const std::string name = length.reference->name;
  if (const auto worse = length.of(Verdict::kWorse); !worse.empty())
    out += concat(" ", name, " is better than ", listed(worse), ".");
  if (const auto open = length.of(Verdict::kNotShown); !open.empty())
    out += concat(" No difference is shown between ", name, " and ", listed(open), ".");
  if (const auto unpaired = length.of(Verdict::kNotCompared); !unpaired.empty())
    out += concat(" Not compared: ", listed(unpaired), ".");
  return out + trainings_alone(length);
}

std::vector<Length> lengths_of(const ComparedSection& section) {
  std::vector<Length> lengths;
  for (const ComparedRow& row : section.rows) {
    const std::uint32_t bits = row.first().bits;
    const std::size_t against = row.difference.against;
    const ComparedRow* reference = against == ComparedDifference::kNoRow ? nullptr : &section.rows[against];
    auto place =
        std::find_if(lengths.begin(), lengths.end(), [&](const Length& l) { return l.bits == bits && l.reference == reference; });
    if (place == lengths.end()) place = lengths.insert(lengths.end(), {bits, {}, reference, true});
    place->rows.push_back(&row);
  }
  for (Length& length : lengths)
    length.alone = std::count_if(lengths.begin(), lengths.end(), [&](const Length& l) { return l.bits == length.bits; }) == 1;
  std::erase_if(lengths, [](const Length& l) { return !l.alone && l.rows.size() == 1; });  // nothing is set beside this reference
  return lengths;
}

}  // namespace

void judge_section(ComparedSection& section, const CompareOptions& options) {
  Resampler resampler(options.bootstrap);
  std::map<std::size_t, Group> groups;  // by the reference's place
  section.comparisons = 0;
  for (ComparedRow& row : section.rows) {
    const std::size_t against = reference_for(section, row, options.against);
    if (against == ComparedDifference::kNoRow) continue;
    row.difference.against = against;
    resampler.add(row.records);
    if (&section.rows[against] == &row) {
      row.difference.verdict = Verdict::kReference;
      continue;
    }
    Group& group = groups[against];
    group.rows.push_back(&row);
    group.reference = &section.rows[against];
    ++section.comparisons;
  }
  // All claims of a section hold together: each interval is made as much surer as there are comparisons (Bonferroni).
  section.confidence =
      1 - (1 - options.bootstrap.confidence) / static_cast<double>(std::max<std::size_t>(1, section.comparisons));
  for (const auto& [place, group] : groups) judge(resampler, group, section.confidence);
  section.sentences = section_sentences(section, options);
}

std::vector<std::string> section_sentences(const ComparedSection& section, const CompareOptions& options) {
  std::vector<std::string> sentences;
  bool reference = false;
  for (const Length& length : lengths_of(section)) {
    sentences.push_back(sentence(length));
    reference = reference || length.reference != nullptr;
  }
  if (!reference)
    sentences.push_back(
        concat("There is no record of ", options.against, " here, so no difference is tested; --against names another method."));
  return sentences;
}

std::string imagenet_text(const PublishedRow& row) { return row.imagenet < 0 ? "not stated" : row.imagenet > 0 ? "yes" : "no"; }

std::string seeds_text(const ComparedRow& row) {
  std::string all;
  for (const ResultRecord* r : row.records) all += concat(all.empty() ? "" : ",\xC2\xA0", r->seed);
  return all;
}

}  // namespace eval

std::string verdict_text(const ComparedDifference& d) {
  using Verdict = ComparedDifference::Verdict;
  switch (d.verdict) {
    case Verdict::kReference:
      return "the reference";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kNotShown:
      return "no difference shown";
    case Verdict::kNotCompared:
      return "not compared";
    case Verdict::kNone:
      break;
  }
  return "–";
}

std::string bits_text(const ComparedRow& row) {
  const ResultRecord& r = row.first();
  return r.network_bits == r.bits ? concat(r.bits) : concat(r.bits, " of ", r.network_bits);
}

}  // namespace signet
