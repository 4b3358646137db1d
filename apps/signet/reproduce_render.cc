#include <algorithm>
#include <vector>

#include "apps/signet/reproduce.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/eval/results.h"

namespace signet::cli {
namespace {

constexpr std::uint64_t kLargestPage = std::uint64_t{1} << 30;  // bytes

std::vector<ResultRecord> read_records(const std::string& folder) {
  std::vector<ResultRecord> records;
  FileSystem& fs = real_file_system();
  if (!fs.exists(folder)) return records;
  for (const std::string& name : fs.list(folder)) {
    if (!name.ends_with(".json")) continue;
    records.push_back(parse_result(read_text_file(fs, join_path(folder, name), kLargestRecord), join_path(folder, name)));
  }
  return records;
}

void put(const ReproduceArguments& arguments, const std::string& name, const std::string& content) {
  const std::string path = join_path(arguments.results, name);
  FileSystem& fs = real_file_system();
  if (!arguments.check) {
    fs.create_directory(arguments.results);
    write_file_atomically(fs, path, as_bytes(content));
  } else if (!fs.exists(path) || read_text_file(fs, path, kLargestPage) != content) {
    fail(ErrorCode::kMismatch, path, ": is not what the records in ", join_path(arguments.results, "records"),
         " give; signet reproduce --render makes it again");
  }
}

}  // namespace

void render_results(const ReproduceArguments& arguments) {
  const std::vector<ResultRecord> records = read_records(join_path(arguments.results, "records"));
  std::vector<PublishedRow> published;
  if (real_file_system().exists(arguments.published))
    published = parse_published(read_text_file(real_file_system(), arguments.published, kLargestRecord), arguments.published);
  const bool beside_documents = real_file_system().exists(join_path(arguments.results, "../reproduce.md"));
  const ResultPages pages = results_pages(records, published, beside_documents);
  put(arguments, "README.md", pages.markdown);
  put(arguments, "report.html", pages.html);
  if (!arguments.quiet)
    note("reproduce", concat(arguments.check ? "the pages agree with " : "pages made from ", records.size(), " records"));
}

}  // namespace signet::cli
