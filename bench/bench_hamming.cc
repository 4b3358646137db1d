#include <cstdio>
#include <cstring>
#include <string>

#include "bench/hamming_cases.h"
#include "bench/hamming_data.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"

// ./run bench hamming: how quick exact search is, with FAISS beside it. Every answer is checked before it is timed.
namespace signet::bench {
namespace {

const char kUsage[] =
    "usage: signet-bench-hamming [--case NAME]... [--bits B] [--n N] [--k K] [--queries Q] [--threads T] [--seed S] [--data "
    "KIND] [--no-peers] "
    "[--json]\n"
    "without --case all of these run, each with its own grid where nothing is fixed:\n";

std::size_t number(const char* flag, const char* text) {
  char* end = nullptr;
  const double value = text == nullptr ? -1 : std::strtod(text, &end);  // so that 1e7 is a number
  if (value < 0 || value > 1e12 || *end != '\0')
    fail(ErrorCode::kUsage, flag, " \"", text == nullptr ? "" : text, "\" is not a number of 0 to 1e12");
  return static_cast<std::size_t>(value);
}

std::string data_kind(const char* text) {
  const std::string kind = text == nullptr ? "" : text;
  if (kind != "random" && kind != "clustered")
    fail(ErrorCode::kUsage, "--data \"", kind, "\" does not exist; use random or clustered");
  return kind;
}

const Case& find_case(const std::string& name) {
  for (const Case& one : cases()) {
    if (name == one.name) return one;
  }
  fail(ErrorCode::kUsage, "--case \"", name, "\" does not exist; --help lists them");
}

void print_usage() {
  std::fputs(kUsage, stdout);
  for (const Case& one : cases()) std::printf("  %-14s %s\n", one.name, one.what);
}

int run(int count, char** arguments) {
  Settings settings;
  bool json = false;
  std::vector<const Case*> chosen;
  for (int i = 1; i < count; ++i) {
    const std::string flag = arguments[i];
    const auto value = [&] { return ++i < count ? arguments[i] : nullptr; };
    if (flag == "--help" || flag == "-h") return print_usage(), 0;
    if (flag == "--json")
      json = true;
    else if (flag == "--no-peers")
      settings.peers = false;
    else if (flag == "--bits")
      settings.bits = static_cast<std::uint32_t>(number("--bits", value()));
    else if (flag == "--n")
      settings.n = number("--n", value());
    else if (flag == "--k")
      settings.k = number("--k", value());
    else if (flag == "--queries")
      settings.queries = number("--queries", value());
    else if (flag == "--threads")
      settings.threads = number("--threads", value());
    else if (flag == "--seed")
      settings.seed = number("--seed", value());
    else if (flag == "--data")
      settings.data = data_kind(value());
    else if (flag == "--case") {
      const char* name = value();
      chosen.push_back(&find_case(name == nullptr ? "" : name));
    } else {
      fail(ErrorCode::kUsage, "\"", flag, "\" is not an option; --help lists them");
    }
  }
  if (settings.threads == 0) settings.threads = available_cpus();
  Report report(json);
  report.head(settings.threads);
  settings.read_bytes_per_s = read_bandwidth(settings.threads);
  report.say(concat("memory is read at ", settings.read_bytes_per_s / 1e9, " GB/s by ", settings.threads, " thread(s)"));
  for (const Case& one : cases()) {
    bool wanted = chosen.empty();
    for (const Case* each : chosen) wanted = wanted || each == &one;
    if (wanted) one.run(settings, report);
  }
  report.finish();
  return 0;
}

}  // namespace
}  // namespace signet::bench

int main(int count, char** arguments) {
  try {
    return signet::bench::run(count, arguments);
  } catch (const signet::Error& error) {
    std::fprintf(stderr, "signet-bench-hamming: %s\n", error.what());
    return signet::exit_status(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "signet-bench-hamming: %s\n", error.what());
    return 4;
  }
}
