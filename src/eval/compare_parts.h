#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "eval/svg_chart.h"
#include "signet/eval/compare.h"

namespace signet::eval {

// How far the mAP of one training lies from that of another with its seed alone changed.
struct SeedSpread {
  double variance = 0;       // of one training's mAP; with own_queries of one seed's difference to the reference
  double freedom = 0;        // degrees of freedom of that estimate
  bool own_queries = false;  // each seed draws its own queries
  // With fewer an interval of 99.9 % would be wider than all that can be measured.
  static constexpr double kFewest = 4;
  bool is_known() const noexcept { return freedom >= kFewest; }
};

// Means of records' AP over resampled queries, made once a record, however many comparisons it takes part in. Memory: 4 bytes a
// record and round.
class Resampler {
 public:
  using Records = std::vector<const ResultRecord*>;
  struct Pair {
    const Records *row, *reference;
  };
  explicit Resampler(const BootstrapOptions& options) : options_(options) {}
  void add(const Records& records);  // those without values by query are passed over
  // Throws as compare_rows where two sides have no queries in common.
  void check(const Records& row, const Records& reference) const { common_queries({&row, &reference}); }
  // The seeds' variance as these pairs tell it together. Of sides whose records were added, as below.
  SeedSpread seed_spread(const std::vector<Pair>& pairs) const;
  PairedDifference difference(const Pair& pair, const SeedSpread& seeds, double confidence) const;

 private:
  struct Means {
    double mean = 0;
    std::vector<float> rounds;
  };
  struct Common {  // records of both sides that were measured on the same queries
    Records row, reference;
  };
  std::vector<Common> common_queries(const Pair& pair) const;
  std::vector<double> means(const Records& side) const;
  double mean_difference(const Common& common) const;
  std::vector<double> differences_of(const std::vector<Common>& common) const;
  double drawn_mean(const Records& side, std::size_t round) const;

  BootstrapOptions options_;
  std::map<const ResultRecord*, Means> means_;
};

// Fills the differences of a section's rows against its reference rows, and its sentences.
void judge_section(ComparedSection& section, const CompareOptions& options);
std::vector<std::string> section_sentences(const ComparedSection& section, const CompareOptions& options);

std::string imagenet_text(const PublishedRow& row);  // "yes", "no", "not stated"
std::string seeds_text(const ComparedRow& row);      // "1, 2, 3", on one line

// Parts of the page.
std::string compare_tables(const ComparedSection& section, const CompareOptions& options);
std::string compare_figures(const std::string& id, const ComparedSection& section);
std::string compare_examples(const std::string& id, const ComparedSection& section, const ExamplePictures& pictures);
const char* compare_style() noexcept;
const char* compare_script() noexcept;

}  // namespace signet::eval
