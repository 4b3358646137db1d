#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "eval/svg_chart.h"
#include "signet/eval/compare.h"

namespace signet::eval {

// Means of records' AP over resampled queries, made once a record, however many comparisons it takes part in. Memory: 4 bytes a
// record and round.
class Resampler {
 public:
  using Records = std::vector<const ResultRecord*>;
  explicit Resampler(const BootstrapOptions& options) : options_(options) {}
  void add(const Records& records);  // those without values by query are passed over
  // Of sides whose records were added. Throws as compare_rows.
  PairedDifference difference(const Records& row, const Records& reference, double confidence) const;

 private:
  struct Means {
    double mean = 0;
    std::vector<float> rounds;
  };
  struct Common {  // records of both sides that were measured on the same queries
    Records row, reference;
  };
  std::vector<Common> common_queries(const Records& row, const Records& reference) const;
  std::vector<double> drawn_means(const Records& side, std::size_t round) const;

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
