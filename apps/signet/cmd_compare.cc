#include <filesystem>
#include <iostream>
#include <set>

#include "apps/signet/command.h"
#include "apps/signet/data.h"
#include "apps/signet/options.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"
#include "signet/eval/compare.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMostRecords = 4096;
constexpr std::uint64_t kMostResamples = std::uint64_t{1} << 29;  // 4 bytes each

struct CompareArguments {
  std::vector<std::string> records;
  std::string html, published = "plans/published.json";
  CompareOptions options;
  bool json = false;
};

ResultRecord read_record(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    fail(ErrorCode::kInvalidArgument, path, ": is a folder; give the files in it: ", join_path(path, "*.json"));
  return parse_result(read_text_file(real_file_system(), path, kLargestRecord), path);
}

// "x.json" has its pictures in "x.pictures".
ExamplePictures pictures_beside(const std::vector<std::string>& records) {
  ExamplePictures pictures;
  for (const std::string& path : records) {
    const std::string beside = std::filesystem::path(path).replace_extension(".pictures").string();
    if (beside != path && real_file_system().exists(beside))
      pictures[path] = parse_pictures(read_text_file(real_file_system(), beside, kLargestRecord), beside);
  }
  return pictures;
}

std::vector<std::string> difference_cells(const ComparedDifference& d) {
  using Verdict = ComparedDifference::Verdict;
  if (d.verdict == Verdict::kNone) return {"-", ""};
  if (d.verdict == Verdict::kReference || d.verdict == Verdict::kNotCompared) return {"-", verdict_text(d)};
  return {concat(d.mean > 0 ? "+" : "", fixed(d.mean, 4), " (", fixed(d.low, 4), " to ", fixed(d.high, 4), ")"), verdict_text(d)};
}

void print_section(const ComparedSection& section, const std::string& against) {
  const ResultRecord& first = section.first();
  std::cout << printable(section.heading) << ": " << printable(first.dataset) << "; " << printable(first.pictures) << '\n';
  std::vector<std::vector<std::string>> table = {
      {"method", "bits", "mAP", concat("against ", against), "", "published", "seeds", "training min"}};
  for (const ComparedRow& row : section.rows) {
    const ResultRecord& r = row.first();
    std::string seeds;
    for (const ResultRecord* one : row.records) seeds += concat(seeds.empty() ? "" : ",", one->seed);
    const std::vector<std::string> difference = difference_cells(row.difference);
    double seconds = 0;
    for (const ResultRecord* one : row.records) seconds += one->train_seconds / static_cast<double>(row.records.size());
    table.push_back({printable(row.name), bits_text(row), spread_text(row.map, 4), difference[0], difference[1],
                     row.published == nullptr ? "-" : fixed(row.published->map.at(r.bits), 3), seeds, fixed(seconds / 60, 1)});
  }
  print_table(table);
  for (const std::string& sentence : section.sentences) std::cout << printable(sentence) << '\n';
  for (const PublishedNumber& number : section.published)
    std::cout << "published: " << printable(number.row->method) << ", " << printable(number.row->source) << ", " << number.bits
              << " bits: " << fixed(number.map(), 3) << (number.row->imagenet > 0 ? " (ImageNet weights)" : "") << '\n';
  std::cout << '\n';
}

void check_against(const std::vector<ResultRecord>& records, const std::string& against) {
  std::set<std::string> methods;
  for (const ResultRecord& record : records) methods.insert(record.method);
  if (!methods.contains(against))
    fail(ErrorCode::kNotFound, "--against \"", against, "\": no record is of that method; these are: ", join(methods));
}

void print(const Comparison& comparison) {
  for (const ComparedSection& section : comparison.sections) print_section(section, comparison.options.against);
  std::cout << "Sections do not compare with each other. \"better\" and \"worse\": the interval of the difference excludes zero "
               "(paired bootstrap\n"
               "over queries, widened by how seeds differ, "
            << fixed(100 * comparison.options.bootstrap.confidence, 0)
            << " % for all of a section together). Published numbers take part in no comparison.\n";
}

}  // namespace

int run_compare(Arguments words) {
  CompareArguments a;
  Options options("compare",
                  "Sets methods side by side from stored records: one section a protocol, mean and spread over seeds, and a "
                  "difference only where a paired bootstrap shows one.",
                  "signet compare docs/results/records/*.json --html compare.html");
  options->texts("RECORD", a.records, "records that signet reproduce wrote (docs/reproduce.md)", "FILE...");
  options->text("--html", a.html, "write one page with tables, curves and examples", "FILE");
  options->text("--protocol", a.options.protocol, "this protocol alone", "NAME");
  options->text("--against", a.options.against, "the method that the others are compared with (signet)", "METHOD");
  options->text("--published", a.published, "numbers that others printed (plans/published.json, where it is there)", "FILE");
  std::uint64_t rounds = a.options.bootstrap.rounds, seed = a.options.bootstrap.seed;
  options->number("--rounds", rounds, "resamples of the bootstrap (10000)", "N", 100, 10'000'000);
  options->number("--seed", seed, "of the bootstrap (1)", "N");
  options->json(a.json);
  if (!options.parse(words)) return 0;
  if (a.records.empty()) fail(ErrorCode::kUsage, "give the RECORDs to compare, for example docs/results/records/*.json");
  if (a.records.size() > kMostRecords)
    fail(ErrorCode::kInvalidArgument, a.records.size(), " records are more than the ", kMostRecords,
         " that one comparison takes");
  if (rounds * a.records.size() > kMostResamples)
    fail(ErrorCode::kInvalidArgument, "--rounds ", rounds, " of ", a.records.size(), " records would need ",
         (rounds * a.records.size()) >> 18, " MiB; at most ", kMostResamples / a.records.size(),
         " rounds are possible with so many records");
  a.options.bootstrap.rounds = rounds, a.options.bootstrap.seed = seed;

  if (!a.html.empty()) check_output_file("--html", a.html, Output::kPage);
  std::vector<ResultRecord> records;
  for (const std::string& path : a.records) records.push_back(read_record(path));
  if (options->given("--against")) check_against(records, a.options.against);
  std::vector<PublishedRow> published;
  if (options->given("--published") || real_file_system().exists(a.published))
    published = parse_published(read_text_file(real_file_system(), a.published, kLargestRecord), a.published);
  const Comparison comparison = compare_results(std::move(records), std::move(published), a.options);
  if (!a.html.empty())
    write_file_atomically(real_file_system(), a.html, as_bytes(compare_html(comparison, pictures_beside(a.records))));
  if (a.json)
    std::cout << compare_json(comparison);
  else
    print(comparison);
  return 0;
}

}  // namespace signet::cli
