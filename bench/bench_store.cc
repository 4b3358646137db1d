#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "bench/number.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/store/collection.h"
#include "signet/store/collection_tools.h"
#include "signet/store/collection_writer.h"

// ./run bench store: how long adding, opening and searching a collection on disk takes. Every answer is checked before its time
// counts.
namespace signet::bench {
namespace {

using nlohmann::json;

const char kUsage[] =
    "usage: signet-bench-store [--n N] [--bits B] [--batch N] [--seconds S] [--folder PATH] [--keep] [--json]\n"
    "  --n        images of the collection (default 1000000)\n"
    "  --bits     length of a code (default 64)\n"
    "  --batch    images of one commit (default 10000)\n"
    "  --seconds  how long each part of the search-while-adding case runs (default 5)\n"
    "  --folder   where the collection is made (default: a new folder in the system's folder for temporary files)\n"
    "  --keep     leave the collection there\n"
    "  --json     print an array of objects\n";

struct Settings {
  std::size_t n = 1'000'000, batch = 10'000;
  std::uint32_t bits = 64;
  double seconds = 5;
  std::string folder;
  bool keep = false, json = false;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void expect(bool right, const char* what) {
  if (!right) fail(ErrorCode::kInternal, "wrong answer: ", what);
}

// Codes of any range of the collection, the same every time.
CodeMatrix codes_of(std::size_t first, std::size_t count, std::uint32_t bits) {
  CodeMatrix codes(count, bits);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(mix_seed(2017, first + i));
    for (auto& byte : codes.row(i)) byte = static_cast<std::uint8_t>(random.next());
    if (bits % 8 != 0) codes.row(i).back() &= static_cast<std::uint8_t>((1u << (bits % 8)) - 1);
  }
  return codes;
}

// A key as people have them: a path of about 45 bytes, in the order in which a folder is walked.
std::string key_of(std::size_t i) {
  char text[80];
  std::snprintf(text, sizeof text, "pictures/%04zu/summer-holidays/img-%09zu.jpeg", i / 5000, i);
  return text;
}

std::vector<ImageRecord> records_of(std::size_t first, std::size_t count) {
  std::vector<ImageRecord> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    ImageRecord& r = records[i];
    r.key = key_of(first + i);
    r.labels = {static_cast<std::int32_t>((first + i) % 10)};
    r.width = 4032;
    r.height = 3024;
    r.bytes = 2'500'000 + (first + i) % 1000;
    r.modified_ns = 1'500'000'000'000'000'000 + static_cast<std::int64_t>(first + i) * 1'000'000'000;
    r.sha256 = std::string(48, 'a');
    char tail[17];
    std::snprintf(tail, sizeof tail, "%016zx", first + i);
    r.sha256 += tail;
  }
  return records;
}

class Bench {
 public:
  explicit Bench(const Settings& settings) : s_(settings) {}
  void run();

 private:
  void report(json row) {
    row["bits"] = s_.bits;
    if (!row.contains("n")) row["n"] = s_.n;
    if (!s_.json) std::printf("%s\n", row.dump().c_str());
    std::fflush(stdout);
    rows_.push_back(std::move(row));
  }
  void add();
  void open_cold();
  void search_while_adding();
  double search_rate(Collection& collection, const std::atomic<bool>* stop);

  Settings s_;
  json rows_ = json::array();
  FileSystem& fs_ = real_file_system();
  const std::string model_ = std::string(64, '7');
  std::string home_;
};

void Bench::add() {
  CreateOptions create;
  create.bits = s_.bits;
  create.model = model_;
  auto writer = CollectionWriter::create(fs_, home_, create);
  double seconds = 0;  // making the data is not counted
  for (std::size_t first = 0; first < s_.n; first += s_.batch) {
    const std::size_t count = std::min(s_.batch, s_.n - first);
    const CodeMatrix codes = codes_of(first, count, s_.bits);
    const auto records = records_of(first, count);
    const double start = now();
    expect(writer->add({&codes, records, model_}).added == count, "all are new");
    seconds += now() - start;
  }
  const double start = now();
  writer.reset();  // the last checkpoint belongs to it
  seconds += now() - start;
  const auto view = Collection::open(fs_, home_)->view();
  const CollectionInfo info = view->info();
  expect(info.images == s_.n, "all are there");
  expect(view->find(key_of(s_.n / 2))->id == s_.n / 2 + 1, "a key is found");
  const double n = static_cast<double>(s_.n);
  const double code_bytes = static_cast<double>(info.code_bytes) / n;
  report({{"case", "add with keys"},
          {"batch", s_.batch},
          {"seconds", seconds},
          {"adds_per_s", n / seconds},
          {"segments", info.segments},
          {"code_bytes_per_image", code_bytes},
          {"code_bytes_allowed", bytes_per_code(s_.bits) + 8},
          {"catalog_bytes_per_image", static_cast<double>(info.catalog_bytes) / n},
          {"key_bytes_per_image", key_of(0).size()},
          {"picture_bytes", info.picture_bytes},
          {"pictures_are_times_larger",
           static_cast<double>(info.picture_bytes) / static_cast<double>(info.code_bytes + info.catalog_bytes)}});
}

// Takes a file out of the system's cache, so that the next read comes from the disk.
void forget(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) return;
  ::fdatasync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

void Bench::open_cold() {
  {  // one segment, as after ./signet collection compact
    auto writer = CollectionWriter::open(fs_, home_);
    const double start = now();
    const CompactResult result = writer->compact();
    report({{"case", "compact"},
            {"seconds", now() - start},
            {"segments_before", result.segments_before},
            {"segments_after", result.segments_after}});
  }
  for (const bool cold : {true, false}) {
    if (cold) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(home_)) forget(entry.path().string());
    }
    const double start = now();
    const auto collection = Collection::open(fs_, home_);
    const auto view = collection->view();
    const double opened = now();
    const auto record = view->find(key_of(s_.n - 1));
    const double found = now();
    SearchOptions options;
    const CodeMatrix query = codes_of(s_.n / 3, 1, s_.bits);
    const auto hit = view->search(query, options).hits[0][0];
    const double searched = now();
    expect(record && record->id == s_.n && hit.distance == 0, "the image is found by key and by code");
    view->search(query, options);
    report({{"case", cold ? "open, files not in memory" : "open, files in memory"},
            {"open_ms", (opened - start) * 1e3},
            {"first_find_ms", (found - opened) * 1e3},
            {"first_search_ms", (searched - found) * 1e3},
            {"next_search_ms", (now() - searched) * 1e3}});
  }
}

// Searches a second: each with a view taken for it, as a server does.
double Bench::search_rate(Collection& collection, const std::atomic<bool>* stop) {
  const CodeMatrix query = codes_of(s_.n / 3, 1, s_.bits);
  SearchOptions options;
  std::size_t searches = 0;
  const double start = now();
  while (now() - start < s_.seconds && (stop == nullptr || !*stop)) {
    expect(collection.view()->search(query, options).hits[0][0].distance == 0, "the image is found");
    ++searches;
  }
  return static_cast<double>(searches) / (now() - start);
}

void Bench::search_while_adding() {
  const auto collection = Collection::open(fs_, home_);
  search_rate(*collection, nullptr);  // warm
  const double before = search_rate(*collection, nullptr);
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> added{0};
  std::string failure;
  std::thread adder([&] {
    try {
      auto writer = CollectionWriter::open(fs_, home_);
      for (std::size_t first = writer->info().next_id - 1; !stop;
           first += 1000) {  // keys that are not there, also in a kept folder
        const CodeMatrix codes = codes_of(first, 1000, s_.bits);
        const auto records = records_of(first, 1000);
        added += writer->add({&codes, records, model_}).added;
      }
    } catch (const std::exception& error) {
      failure = error.what();
    }
  });
  const double during = search_rate(*collection, nullptr);
  stop = true;
  adder.join();
  if (!failure.empty()) fail(ErrorCode::kInternal, "adding failed: ", failure);
  const double after = search_rate(*collection, nullptr);
  expect(added > 0, "something was added");
  report({{"case", "search while adding"},
          {"searches_per_s_alone", before},
          {"searches_per_s_while_adding", during},
          {"searches_per_s_after", after},
          {"slowdown_percent", (1 - during / ((before + after) / 2)) * 100},
          {"adds_per_s_meanwhile", static_cast<double>(added) / s_.seconds},
          {"cpus", std::thread::hardware_concurrency()}});
}

void Bench::run() {
  home_ = s_.folder.empty() ? (std::filesystem::temp_directory_path() / concat("signet-bench-store-", ::getpid())).string()
                            : s_.folder;
  if (!s_.json) std::printf("%s, %s, collection in %s\n", cpu_name().c_str(), SIGNET_BUILD_TYPE, home_.c_str());
  if (!is_collection(fs_, home_)) add();
  open_cold();
  search_while_adding();
  if (!s_.keep) std::filesystem::remove_all(home_);
  if (s_.json) std::printf("%s\n", rows_.dump(2).c_str());
}

Settings parse(int count, char** arguments) {
  Settings s;
  for (int i = 1; i < count; ++i) {
    const std::string flag = arguments[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == count) fail(ErrorCode::kUsage, flag, " needs a value");
      return arguments[++i];
    };
    const auto number = [&] { return positive_number(flag, value(), "1e12"); };
    if (flag == "--n") {
      s.n = static_cast<std::size_t>(number());
    } else if (flag == "--bits") {
      s.bits = static_cast<std::uint32_t>(number());
      check_bits(s.bits, "--bits");
    } else if (flag == "--batch") {
      s.batch = static_cast<std::size_t>(number());
    } else if (flag == "--seconds") {
      s.seconds = number();
    } else if (flag == "--folder") {
      s.folder = value();
    } else if (flag == "--keep") {
      s.keep = true;
    } else if (flag == "--json") {
      s.json = true;
    } else {
      fail(ErrorCode::kUsage, "\"", flag, "\" is not an option\n", kUsage);
    }
  }
  return s;
}

}  // namespace
}  // namespace signet::bench

int main(int count, char** arguments) {
  try {
    if (count > 1 && (std::string(arguments[1]) == "--help" || std::string(arguments[1]) == "-h")) {
      std::fputs(signet::bench::kUsage, stdout);
      return 0;
    }
    signet::bench::Bench(signet::bench::parse(count, arguments)).run();
    return 0;
  } catch (const signet::Error& error) {
    std::fprintf(stderr, "signet-bench-store: %s\n", error.what());
    return signet::exit_status(error.code());
  }
}
