#include <netdb.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "apps/signet/options.h"
#include "apps/signet/terminal.h"
#include "signet/base/clock.h"
#include "signet/base/error.h"
#include "signet/index/build.h"
#include "signet/serve/api.h"
#include "signet/serve/http.h"
#include "signet/serve/service.h"
#include "signet/store/collection.h"

namespace signet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ServeArguments {
  std::string collection, model, address = "127.0.0.1", keys, index = "auto";
  std::vector<std::string> roots;
  std::uint64_t port = 8080, threads = 0, rate = 0, max_megapixels = 64, max_body_mb = 32, max_connections = 4096,
                stop_seconds = 30;
  std::uint64_t duplicates_radius = 0;
  bool read_only = false, quiet = false;
};

// SIGINT and SIGTERM as something to wait for, in a program with many threads: blocked before any of them begins.
class StopSignal {
 public:
  StopSignal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd_ < 0) fail(ErrorCode::kIo, "signals cannot be waited for");
  }
  ~StopSignal() { ::close(fd_); }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  void wait() const {
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) < 0 && errno == EINTR) {
    }
  }
  // A second signal ends the program as usual.
  void release() const {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }

 private:
  int fd_ = -1;
};

const char* access_name(Access access) { return access == Access::kWrite ? "write" : access == Access::kRead ? "read" : "none"; }

// One JSON object a line on standard error.
std::function<void(const RequestLog&)> request_log(bool quiet) {
  if (quiet) return {};
  return [mutex = std::make_shared<std::mutex>()](const RequestLog& line) {
    Json object = {{"time", utc_now(TimeDigits::kMilliseconds)},
                   {"request_id", line.id},
                   {"peer", line.peer},
                   {"method", line.method},
                   {"target", line.target},
                   {"route", line.route},
                   {"status", line.status},
                   {"milliseconds", static_cast<double>(static_cast<std::int64_t>(line.seconds * 1e6)) / 1e3},
                   {"bytes_in", line.bytes_in},
                   {"bytes_out", line.bytes_out},
                   {"key", access_name(line.access)},
                   {"sent", line.sent}};
    if (!line.failure.empty()) object["failure"] = line.failure;
    const std::string text = object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(*mutex);
    std::cerr << text;
  };
}

// Every connection is an open file, as every segment and picture is that is read: the soft limit, 1,024 in most shells, is raised
// as far as the system lets.
void allow_files(std::uint64_t connections) {
  constexpr rlim_t kOthers = 4096;
  const rlim_t wanted = connections + connections / 8 + kOthers;  // an eighth: those that are told that they are too many
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  setrlimit(RLIMIT_NOFILE, &limit);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= connections)
    note("serve", concat("the system lets this process open ", limit.rlim_cur, " files, fewer than --max-connections ",
                         connections, " need; raise the hard limit (ulimit -Hn), or give a smaller number"));
}

bool is_address(const std::string& text) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const bool numeric = getaddrinfo(text.c_str(), nullptr, &hints, &found) == 0;
  if (found != nullptr) freeaddrinfo(found);
  return numeric;
}

// Segments below some size are scanned whatever the kind, and questions about duplicates come late: what does not fit the
// collection's codes would be seen long after the start.
void check_fit(const ServeArguments& arguments) {
  const std::uint32_t bits = Collection::open(real_file_system(), arguments.collection)->view()->info().bits;
  BuildOptions build;
  build.kind = arguments.index;
  try {
    build_index(source_of(std::make_shared<const CodeMatrix>(1, bits)), build);
  } catch (const Error& error) {
    fail(error.code(), "--kind ", arguments.index, ": ", error.what());
  }
  if (arguments.duplicates_radius > bits / 2)
    fail(ErrorCode::kUsage, "--duplicates-radius ", arguments.duplicates_radius, " is beyond half of the ", bits, " bits of ",
         arguments.collection, "; give 0 to ", bits / 2);
}

// Where the model that a collection is bound to is not there, everything else is served all the same.
void tell_without_model(const Service& service) {
  const CollectionInfo info = service.info();
  if (service.can_encode() || info.model.empty()) return;
  note("serve",
       concat("pictures cannot be encoded: the collection's model is not ",
              info.model_path.empty() ? "known by its file" : "at " + printable(info.model_path), "; --model FILE names it"));
}

void serve(const ServeArguments& arguments) {
  const bool local = is_loopback(arguments.address);
  if (!local && !is_address(arguments.address))
    fail(ErrorCode::kUsage, "--address ", arguments.address,
         " is no address to listen on; a numeric one, such as 127.0.0.1 or ::1, would be right");
  if (!local && arguments.keys.empty()) {
    fail(ErrorCode::kUsage, "--address ", arguments.address,
         " can be reached from other machines; that needs --keys FILE with a key of 16 characters or more (docs/serve.md), or "
         "--address 127.0.0.1");
  }
  for (const std::string& root : arguments.roots)
    if (!real_file_system().exists(root)) fail(ErrorCode::kNotFound, "--root ", root, " does not exist");
  check_fit(arguments);
  const StopSignal stop;
  ServiceOptions service_options;
  service_options.collection = arguments.collection;
  service_options.model = arguments.model;
  service_options.roots = arguments.roots;
  service_options.writable = !arguments.read_only;
  service_options.index = arguments.index;
  service_options.threads = arguments.threads;
  service_options.duplicates_radius = static_cast<std::uint32_t>(arguments.duplicates_radius);
  service_options.max_pixels = arguments.max_megapixels * 1'000'000;

  ApiOptions api_options;
  if (!arguments.keys.empty()) {
    api_options.keys = AccessKeys::from_file(real_file_system(), arguments.keys);
    if (!api_options.keys.can_write()) service_options.writable = false;
  }
  api_options.max_picture_bytes = arguments.max_body_mb * 1'000'000;
  api_options.max_bulk_bytes = 2 * api_options.max_picture_bytes;
  api_options.rate = static_cast<double>(arguments.rate);
  api_options.log = request_log(arguments.quiet);

  allow_files(arguments.max_connections);
  HttpOptions http_options;
  http_options.max_body_memory = std::max(http_options.max_body_memory, api_options.max_bulk_bytes);
  http_options.address = arguments.address;
  http_options.port = static_cast<std::uint16_t>(arguments.port);
  http_options.max_connections = arguments.max_connections;
  http_options.stop_seconds = static_cast<double>(arguments.stop_seconds);

  Service service(real_file_system(), service_options);
  tell_without_model(service);
  if (service_options.writable && !service.writable())
    note("serve",
         concat(arguments.collection, " cannot be written to here, so nothing is changed over HTTP, as with --read-only"));
  Api api(service, api_options);
  HttpServer server(http_options, api);
  api.watch([&server] { return server.counters(); });
  const std::string host = arguments.address.find(':') == std::string::npos ? arguments.address : "[" + arguments.address + "]";
  std::cout << "http://" << host << ":" << server.port() << "/" << std::endl;
  stop.wait();
  stop.release();
  note("serve", "stopping: requests under way are finished");
  api.drain();
  server.stop();
  service.stop();
}

}  // namespace

int run_serve(Arguments words) {
  ServeArguments arguments;
  Options options(
      "serve",
      "Answer searches in a collection over HTTP, and serve the page to look at it. Prints its address when it is ready. By "
      "default it can be reached from this machine only; docs/serve.md says how to let others in.",
      "signet serve --collection photos.signet\n"
      "  signet serve --collection photos.signet --address 0.0.0.0 --keys keys.txt");
  OptionSet& app = options.set();
  app.text("--collection", arguments.collection, "the collection's folder", "FOLDER", Need::kRequired);
  app.text("--model", arguments.model, "the model of its codes; may be left out where the collection knows it", "FILE");
  app.text("--address", arguments.address, "numeric address to listen on (127.0.0.1); a public one needs --keys", "IP");
  app.number("--port", arguments.port, "port (8080); 0: one that is free", "N", 0, 65535);
  app.text("--keys", arguments.keys, "file with lines \"read KEY\" and \"write KEY\"; who shows none gets nothing", "FILE");
  app.texts("--root", arguments.roots, "folders or data set files whose pictures may be shown, besides the collection's own",
            "PATH...");
  app.flag("--read-only", arguments.read_only, "no changes over HTTP");
  app.text("--kind", arguments.index, "how segments are searched: auto (the default), flat, table, mih or pivot", "NAME");
  app.number("--duplicates-radius", arguments.duplicates_radius,
             "bits by which codes of duplicates may differ where a question names none (0); signet dedup calibrates it", "R", 0,
             4096);
  app.number("--max-megapixels", arguments.max_megapixels, "refuse pictures larger than this (64)", "N", 1, 100'000);
  app.number("--max-body", arguments.max_body_mb, "refuse pictures of more megabytes (32), bulk requests of twice as many", "MB",
             1, 4096);
  app.number("--max-connections", arguments.max_connections, "connections at once (4096)", "N", 1, 100'000);
  app.number("--rate", arguments.rate, "requests a second of one client; 0, the default: no limit", "N", 0, 1'000'000);
  app.number("--stop-seconds", arguments.stop_seconds, "how long requests under way may take after SIGTERM (30)", "N", 0, 3600);
  options->threads(arguments.threads);
  app.flag("-q,--quiet", arguments.quiet, "no request log on standard error");
  if (!options.parse(words)) return 0;
  serve(arguments);
  return 0;
}

}  // namespace signet::cli
