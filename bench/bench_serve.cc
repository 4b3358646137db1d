#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/number.h"
#include "bench/serve_clients.h"
#include "bench/serve_load.h"
#include "encode/test_networks.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/thread_pool.h"
#include "signet/encode/encoder.h"
#include "signet/store/collection.h"
#include "signet/store/collection_writer.h"

// ./run bench serve: a real `signet serve` on loopback over a million codes, asked by h2load. The answer is checked before
// anything is timed.
namespace signet::bench {
namespace {

using Json = nlohmann::ordered_json;

const char kUsage[] =
    "usage: signet-bench-serve [--n N] [--requests N] [--rate N] [--arch NAME] [--folder PATH] [--json]\n"
    "  --n         images of the collection (default 1000000, 64 bits)\n"
    "  --requests  requests of the memory case (default 100000)\n"
    "  --rate      requests a second of the latency cases (default 500)\n"
    "  --arch      width of the network: small, as signet train makes by default, or medium\n"
    "  --folder    where the collection is made and kept (default: a new folder, removed at the end)\n"
    "  --json      print one object\n";

constexpr std::uint32_t kBits = 64;
constexpr std::uint32_t kSide = 32;
constexpr std::size_t kPictureClients = 32;

struct Settings {
  std::size_t n = 1'000'000, requests = 100'000;
  double rate = 500;
  std::string folder, arch = "small";
  bool keep = false, json = false;
};

CodeMatrix codes_of(std::size_t first, std::size_t count) {
  CodeMatrix codes(count, kBits);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(mix_seed(2017, first + i));
    for (auto& byte : codes.row(i)) byte = static_cast<std::uint8_t>(random.next());
  }
  return codes;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
}

std::string png_of(std::uint64_t seed) {
  const auto bytes = encode_png(testing_networks::random_image(kSide, kSide, 3, seed));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The network that `signet train --arch` makes for 32 x 32 colour pictures, with random weights: they cost the same.
std::string make_model(const std::string& folder, const std::string& arch) {
  const std::vector<std::uint32_t> widths =
      arch == "medium" ? std::vector<std::uint32_t>{24, 64, 256, 256} : std::vector<std::uint32_t>{24, 32, 64, 128};
  const std::string path = folder + "/model.onnx";
  write_model(real_file_system(), path, testing_networks::model_for(testing_networks::airbench(3, kSide, widths, kBits), kBits));
  return path;
}

void make_collection(const Settings& settings, const std::string& folder, const std::string& model) {
  CreateOptions create;
  create.bits = kBits;
  create.model = Encoder::open(real_file_system(), model, {1, "auto"}).info().fingerprint;
  create.model_path = model;
  create.class_names = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
  const auto writer = CollectionWriter::create(real_file_system(), folder + "/c", create);
  constexpr std::size_t kBatch = 50'000;
  for (std::size_t first = 0; first < settings.n; first += kBatch) {
    const std::size_t count = std::min(kBatch, settings.n - first);
    const CodeMatrix codes = codes_of(first, count);
    std::vector<ImageRecord> records(count);
    for (std::size_t i = 0; i < count; ++i) {
      records[i].key = concat("image/", first + i, ".png");
      records[i].labels = {static_cast<std::int32_t>((first + i) % 10)};
    }
    writer->add({&codes, records, create.model});
  }
}

// A query near a stored code, as a picture that somebody looks for is: three bits away.
std::vector<std::uint8_t> query_code(const Settings& settings, std::size_t number) {
  Random random(mix_seed(7, number));
  const CodeMatrix code = codes_of(random.below(settings.n), 1);
  std::vector<std::uint8_t> query(code.row(0).begin(), code.row(0).end());
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t bit = random.below(kBits);
    query[bit / 8] = static_cast<std::uint8_t>(query[bit / 8] ^ (1u << (bit % 8)));
  }
  return query;
}

void check_answer(const Settings& settings, std::uint16_t port) {
  const auto query = query_code(settings, 0);
  const Answer answer = ask(port, "POST", "/v1/search", "application/json", Json{{"code", to_hex(query)}, {"k", 10}}.dump());
  std::vector<std::pair<std::uint32_t, std::uint64_t>> all;
  const CodeMatrix codes = codes_of(0, settings.n);
  for (std::size_t i = 0; i < codes.size(); ++i) all.emplace_back(hamming_distance(query, codes.row(i)), i + 1);
  std::partial_sort(all.begin(), all.begin() + 10, all.end());
  const Json hits = answer.status == 200 ? Json::parse(answer.body).at("hits") : Json::array();
  bool right = hits.size() == 10;
  for (std::size_t i = 0; right && i < 10; ++i)
    right = hits[i].at("distance") == all[i].first && hits[i].at("id") == all[i].second;
  if (!right) fail(ErrorCode::kInternal, "wrong answer: status ", answer.status, " ", answer.body.substr(0, 500));
}

class Bench {
 public:
  Bench(const Settings& settings, std::string folder)
      : settings_(settings), folder_(std::move(folder)), model_(folder_ + "/model.onnx") {}

  Json run() {
    if (!is_collection(real_file_system(), folder_ + "/c"))
      make_collection(settings_, folder_, make_model(folder_, settings_.arch));
    start();
    check_answer(settings_, port_);
    latency();
    pictures();
    slow_clients();
    changes();
    memory();
    stop();
    return result();
  }

 private:
  std::string url(const std::string& target) const { return concat("http://127.0.0.1:", port_, target); }

  void start() {
    server_ = std::make_unique<Child>(
        std::vector<std::string>{SIGNET_PROGRAM, "serve", "--collection", folder_ + "/c", "--port", "0", "--quiet"});
    const std::string line = server_->first_line();
    const std::size_t colon = line.rfind(':');
    if (colon == std::string::npos) fail(ErrorCode::kIo, "signet serve did not start");
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(colon + 1)));
  }

  // h2load sends one body; several runs with different codes make one measurement.
  Measured searches(std::size_t requests, double rate, std::size_t bodies = 5) {
    Measured all;
    for (std::size_t i = 0; i < bodies; ++i) {
      const std::string body = concat(folder_, "/query-", i, ".json");
      write_text(body, Json{{"code", to_hex(query_code(settings_, i))}, {"k", 10}}.dump());
      all.add(run_load({url("/v1/search"), body, "application/json", 8, requests / bodies, rate}, folder_));
    }
    return all;
  }

  void latency() {
    searches(500, 0);
    steady_ = searches(static_cast<std::size_t>(settings_.rate * 15), settings_.rate);
    flat_out_ = searches(10'000, 0);
  }

  // Random images, more than fit any cache of one picture; the encoder is asked the same way as `signet encode` does. In turns,
  // as a machine is not as quick at all times: the share is the middle one of its rounds.
  void pictures() {
    const Encoder encoder = Encoder::open(real_file_system(), model_, {});
    std::vector<Image> images;
    for (std::uint64_t i = 0; i < 256; ++i) images.push_back(testing_networks::random_image(kSide, kSide, 3, i));
    encoder.run(images);
    write_text(folder_ + "/query.png", png_of(1));
    for (int round = 0; round < 5; ++round) {
      const double alone = images_per_second(encoder, images);
      const auto requests = std::max<std::size_t>(100, static_cast<std::size_t>(alone * 3));
      const Measured served =
          run_load({url("/v1/search"), folder_ + "/query.png", "image/png", kPictureClients, requests, 0}, folder_);
      failed_ += served.failed;
      picture_rounds_.push_back({served.per_second() / alone, served.per_second(), alone});
    }
    std::sort(picture_rounds_.begin(), picture_rounds_.end());
  }

  static double images_per_second(const Encoder& encoder, std::span<const Image> images) {
    const double began = now_seconds();
    std::size_t done = 0;
    for (; now_seconds() - began < 2; done += images.size()) encoder.run(images);
    return static_cast<double>(done) / (now_seconds() - began);
  }

  void slow_clients() {
    const SlowClients slow(port_, 1000);
    while (slow.open() < 1000) usleep(50'000);
    slow_open_ = slow.open();
    slow_ = searches(static_cast<std::size_t>(settings_.rate * 15), settings_.rate);
  }

  // Adds over HTTP, and adds and a compaction by another process's writer, while searches go on.
  void changes() {
    std::atomic<bool> done{false};
    std::thread writer([&] {
      for (std::size_t round = 0; !done.load(); ++round) {
        std::string lines;
        const CodeMatrix codes = codes_of(settings_.n + round * 200, 200);
        for (std::size_t i = 0; i < 200; ++i)
          lines += Json{{"key", concat("new/", round, "/", i)}, {"code", to_hex(codes.row(i))}}.dump() + "\n";
        const Answer answer = ask(port_, "POST", "/v1/images:bulk", "application/x-ndjson", lines);
        if (answer.status != 200 && answer.status != 503) ++failed_changes_;
        if (answer.status == 200) added_ += 200;
        if (round % 5 == 4) other_writer(round);
      }
    });
    changing_ = searches(static_cast<std::size_t>(settings_.rate * 15), settings_.rate);
    done.store(true);
    writer.join();
  }

  // The service keeps the lock for a second after a change; then another process may write.
  void other_writer(std::size_t round) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      try {
        const auto writer = CollectionWriter::open(real_file_system(), folder_ + "/c");
        const std::string key = concat("new/", round, "/0");
        writer->remove_keys(std::span(&key, 1));
        writer->compact();
        ++compactions_;
        return;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kBusy) throw;
        usleep(50'000);
      }
    }
  }

  void memory() {
    searches(20'000, 0);
    const double before = resident_mb(server_->pid());
    Measured many = searches(settings_.requests, 0);
    rss_growth_ = resident_mb(server_->pid()) - before;
    rss_ = resident_mb(server_->pid());
    failed_ += many.failed;
  }

  void stop() {
    server_->signal(SIGTERM);
    exit_status_ = server_->wait();
    if (exit_status_ != 0) fail(ErrorCode::kInternal, "signet serve ended with status ", exit_status_);
  }

  Json result() {
    const auto& [share, served, alone] = picture_rounds_[picture_rounds_.size() / 2];
    failed_ += steady_.failed + flat_out_.failed + slow_.failed + changing_.failed + failed_changes_;
    return {{"p50_ms", steady_.percentile(0.5)},
            {"p99_ms", steady_.percentile(0.99)},
            {"requests_per_s", steady_.per_second()},
            {"slow_clients", slow_open_},
            {"slow_clients_p99_ms", slow_.percentile(0.99)},
            {"slow_clients_p99_ratio", slow_.percentile(0.99) / steady_.percentile(0.99)},
            {"failed_requests", failed_},
            {"rss_growth_mb", rss_growth_},
            {"rss_mb", rss_},
            {"max_requests_per_s", flat_out_.per_second()},
            {"picture_requests_per_s", served},
            {"encoder_images_per_s", alone},
            {"picture_share", share},
            {"picture_clients", kPictureClients},
            {"changing_p50_ms", changing_.percentile(0.5)},
            {"changing_p99_ms", changing_.percentile(0.99)},
            {"added_while_searching", added_},
            {"compactions_while_searching", compactions_},
            {"images", settings_.n},
            {"bits", kBits},
            {"architecture", settings_.arch},
            {"memory_requests", settings_.requests},
            {"cpu", cpu_name()},
            {"cpus", available_cpus()},
            {"build_type", SIGNET_BUILD_TYPE}};
  }

  const Settings settings_;
  const std::string folder_, model_;
  std::unique_ptr<Child> server_;
  std::uint16_t port_ = 0;
  Measured steady_, flat_out_, slow_, changing_;
  std::vector<std::array<double, 3>> picture_rounds_;  // share, searches a second, images a second of the encoder alone
  double rss_growth_ = 0, rss_ = 0;
  std::size_t slow_open_ = 0, failed_ = 0, failed_changes_ = 0, added_ = 0, compactions_ = 0;
  int exit_status_ = -1;
};

Settings parse(int count, char** values) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    const auto value = [&]() -> std::string {
      if (++i >= count) fail(ErrorCode::kUsage, word, " needs a value\n", kUsage);
      return values[i];
    };
    const auto number = [&] { return positive_number(word, value(), "1e9"); };
    if (word == "--n")
      settings.n = static_cast<std::size_t>(number());
    else if (word == "--requests")
      settings.requests = static_cast<std::size_t>(number());
    else if (word == "--rate")
      settings.rate = number();
    else if (word == "--arch")
      settings.arch = value();
    else if (word == "--folder")
      settings.folder = value(), settings.keep = true;
    else if (word == "--json")
      settings.json = true;
    else
      fail(ErrorCode::kUsage, "there is no option ", word, "\n", kUsage);
  }
  if (settings.arch != "small" && settings.arch != "medium")
    fail(ErrorCode::kUsage, "--arch \"", settings.arch, "\" is not small or medium\n", kUsage);
  return settings;
}

int run(int count, char** values) {
  if (count > 1 && (std::string(values[1]) == "--help" || std::string(values[1]) == "-h")) {
    std::cout << kUsage;
    return 0;
  }
  const Settings settings = parse(count, values);
  std::string folder = settings.folder;
  if (folder.empty()) {
    folder = (std::filesystem::temp_directory_path() / "signet-bench-serve-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) fail(ErrorCode::kIo, "no folder for the collection");
  }
  std::filesystem::create_directories(folder);
  const Json result = Bench(settings, folder).run();
  if (!settings.keep) std::filesystem::remove_all(folder);
  if (settings.json) {
    std::cout << result.dump(2) << '\n';
  } else {
    for (const auto& item : result.items())
      std::cout << item.key() << std::string(32 - item.key().size(), ' ') << item.value() << '\n';
  }
  return 0;
}

}  // namespace
}  // namespace signet::bench

int main(int count, char** values) {
  try {
    return signet::bench::run(count, values);
  } catch (const signet::Error& error) {
    std::cerr << "signet-bench-serve: " << error.what() << '\n';
    return signet::exit_status(error.code());
  }
}
