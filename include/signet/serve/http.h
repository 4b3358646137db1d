#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signet {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

// One request as it came in: nothing is decoded but what says so.
struct HttpRequest {
  std::string
      id;  // names it in the log and in problem bodies: 16 hex digits, or the client's own X-Request-Id where that is tame
  std::string method;  // "GET", "POST", ...
  std::string target;  // raw, as in the request line: "/v1/images/a%2Fb?limit=3"
  std::string peer;    // the client's address, "127.0.0.1"
  HttpFields headers;  // names in lower case, in the order of the request
  std::string body;
  unsigned note = 0;  // the handler's own: what it said of this request in its HttpAdmission

  // The first header of this (lower-case) name, or nothing.
  std::string_view header(std::string_view name) const noexcept;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;  // empty: none is named
  std::string body;
  HttpFields headers;
  bool close = false;  // the connection is closed after this answer
};

// Where a request is worked on. Reading and writing have queues and threads of their own, so that neither waits for the other.
enum class HttpLane { kInline, kRead, kWrite };

// What a handler says to a request of which only the headers have arrived.
struct HttpAdmission {
  bool refused = false;
  HttpResponse refusal;  // sent at once where refused; the body is not read
  HttpLane lane = HttpLane::kRead;
  std::size_t max_body = 0;  // a longer body is refused before it is read
  unsigned note = 0;         // what has been found out once and is the request's from now on, also where it is refused
};

enum class HttpRefusal { kBodyTooLarge, kLengthMissing, kTargetTooLong, kHeadersTooLarge, kBusy, kTooManyConnections, kStopping };

using HttpReply = std::function<void(HttpResponse)>;

// What the server asks for. All functions are called from several threads at once and do not throw.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual HttpAdmission admit(const HttpRequest& request) noexcept = 0;  // before the body
  // With the body. Calls reply exactly once, from any thread: before it returns where the lane is kInline, else perhaps long
  // after. The request lives until then, and not longer.
  virtual void handle(HttpRequest& request, HttpReply reply) noexcept = 0;
  // The same for a request of the lane kRead, by the thread that reads from sockets: takes it where that needs only microseconds
  // of this thread, and no other then has to be woken for it. False: it does not, and handle() is called by a worker. Without
  // `room` for one more under way, what would be taken is refused: reply is called before this returns.
  virtual bool handle_at_once(HttpRequest& request, bool room, const HttpReply& reply) noexcept = 0;
  virtual HttpResponse refuse(const HttpRequest& request, HttpRefusal why) noexcept = 0;  // a limit of the server was hit
  virtual void finished(const HttpRequest& request, const HttpResponse& response, double seconds, bool sent) noexcept = 0;
  // The server is being stopped and does not wait any longer: what is under way should end as soon as it can, in an answer.
  virtual void give_up() noexcept {}
};

struct HttpOptions {
  std::string address = "127.0.0.1";  // a numeric address, or localhost
  std::uint16_t port = 8080;          // 0: one that is free
  std::size_t io_threads = 2;
  std::size_t read_workers = 16;                         // requests worked on at once
  std::size_t read_queue = 256, write_queue = 64;        // requests that may wait; more are refused (kBusy)
  std::size_t max_connections = 4096;                    // more get kTooManyConnections
  std::size_t max_header_bytes = std::size_t{16} << 10;  // request line and headers together
  std::size_t max_target_bytes = std::size_t{8} << 10;
  std::size_t max_body_memory = std::size_t{512} << 20;  // of all bodies under way; more get kBusy
  // Of all answers that are being sent; more get kBusy instead, but for answers of at most 16 KiB and to requests of the lane
  // kWrite, which are not counted. One that is larger than all of it has all of it.
  std::size_t max_answer_memory = std::size_t{256} << 20;
  double header_seconds = 20;  // from connecting, or from the answer before, to the end of the headers
  double body_seconds = 60;    // from there to the end of the body
  double send_seconds = 60;    // from the answer's beginning to its end
  double stop_seconds = 30;    // how long stop() waits for requests under way to be finished
};

struct HttpCounters {
  std::uint64_t connections = 0;                  // open now
  std::uint64_t connections_refused = 0;          // answered kTooManyConnections so far
  std::uint64_t timed_out = 0;                    // closed because a limit of seconds ran out
  std::uint64_t requests = 0;                     // under way now
  std::uint64_t read_queue = 0, write_queue = 0;  // waiting now
  std::uint64_t body_bytes = 0;                   // of bodies under way now
  std::uint64_t answer_bytes = 0;                 // of answers that are being sent now and are counted
};

// An HTTP/1.1 server. A client that is slow, idle or vanishes costs a connection and no thread; every wait has an end. A request
// with a body needs Content-Length. Where there is no memory for a request its connection is closed; the others go on.
class HttpServer {
 public:
  // Listens and serves from then on. `handler` must outlive it. Throws kUsage for an address that is none, kIo where it cannot be
  // bound.
  HttpServer(const HttpOptions& options, HttpHandler& handler);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  std::uint16_t port() const noexcept;
  HttpCounters counters() const;
  // Accepts nothing new, finishes the requests under way and closes all connections. Where that takes longer than stop_seconds,
  // the handler is told to give up, what waits for a worker is refused (kStopping), and what is being worked on is waited for,
  // and then a few seconds for its answers to be sent. Idempotent.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether a numeric address, or "localhost", reaches this machine alone.
bool is_loopback(const std::string& address);

// "a%2Fb" -> "a/b". Throws Error{kUsage} for a broken escape or a NUL byte. plus_is_space: as in a query.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

// A request target, cut up: the path raw, the query's names and values decoded. Throws Error{kUsage} unless it begins with '/',
// or with "http://" and a host (RFC 9112, 3.2.2), and all escapes are whole.
struct HttpTarget {
  std::string path;
  HttpFields query;
  std::string authority = {};  // "localhost:8080", which then counts instead of the header Host; empty: the target names none
};
HttpTarget parse_target(std::string_view target);
// The path alone; of a target that is none, what stands in its place.
std::string_view target_path(std::string_view target) noexcept;

// "image/png; q=1" -> "image/png", lower case.
std::string media_type(std::string_view header);

}  // namespace signet
