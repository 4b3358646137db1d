#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <new>
#include <thread>

#include "serve/http_connections.h"
#include "serve/work_queue.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/serve/http.h"

namespace signet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSmallAnswer = std::size_t{16} << 10;
constexpr double kLastSeconds = 5;  // at most, for the answers that are ready when the server stops

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string peer_name(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address == nullptr) return "unknown";
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
  }
  return text;
}

int listen_on(const HttpOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST;
  const std::string host = options.address == "localhost" ? "127.0.0.1" : options.address;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(options.port).c_str(), &hints, &found) != 0 || found == nullptr) {
    fail(ErrorCode::kUsage, "\"", options.address, "\" is no address to listen on; give a numeric one, such as 127.0.0.1 or ::1");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, freeaddrinfo);
  Socket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (socket.get() < 0 || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(socket.get(), 1024) != 0) {
    fail(ErrorCode::kIo, options.address, " port ", options.port, " cannot be listened on: ", std::strerror(errno));
  }
  return socket.release();
}

// What an open descriptor leads to: another socket under the same number is another pair.
std::pair<dev_t, ino_t> behind(int fd) {
  struct stat found {};
  ::fstat(fd, &found);
  return {found.st_dev, found.st_ino};
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  // The port is at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

// What a request is on its way through the server; lives from its first line to the end of its answer.
struct Exchange {
  HttpRequest request;
  HttpResponse response;
  HttpLane lane = HttpLane::kRead;
  std::size_t reserved = 0;  // of the memory for bodies: the announced length
  std::size_t held = 0;      // of the memory for answers
  bool admitted = false, answered = false;
  MHD_Connection* connection = nullptr;
  HttpConnection* socket = nullptr;
  Clock::time_point began;
  void resume(HttpResponse ready);  // by any thread: the connection's own sends it, after which the exchange may be gone
};

void Exchange::resume(HttpResponse ready) {
  response = std::move(ready);
  answered = true;
  MHD_resume_connection(connection);
}

// Takes so many bytes of a memory, or nothing where they do not fit: what is refused must not stand in the way of the next that
// is small.
bool take_bytes(std::atomic<std::uint64_t>& held, std::uint64_t bytes, std::uint64_t most) {
  std::uint64_t before = held.load();
  do {
    if (bytes > most - before) return false;  // never more held than that
  } while (!held.compare_exchange_weak(before, before + bytes));
  return true;
}

// The library is C, and nothing may be thrown through its frames: where memory is short it is given `otherwise`, for which it
// ends the connection.
template <typename Result, typename Call>
Result guarded(Result otherwise, const Call& call) noexcept {
  try {
    return call();
  } catch (...) {
    return otherwise;
  }
}

void add_header(HttpFields& headers, const char* name, const char* value) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
  headers.emplace_back(std::move(lower), value == nullptr ? "" : value);
}

struct HeaderSink {
  HttpFields& headers;
  bool failed = false;
};

MHD_Result collect_header(void* to, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  auto& sink = *static_cast<HeaderSink*>(to);
  sink.failed = !guarded(false, [&] {
    add_header(sink.headers, name, value);
    return true;
  });
  return sink.failed ? MHD_NO : MHD_YES;
}

// A request that lacks some of its headers is another request: all of them, or none of it.
void collect_headers(MHD_Connection* connection, HttpFields& headers) {
  HeaderSink sink{headers};
  MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_header, &sink);
  if (sink.failed) throw std::bad_alloc();
}

bool has_body(const HttpRequest& request) {
  return !request.header("content-length").empty() || !request.header("transfer-encoding").empty();
}

bool is_tame_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

struct HttpServer::State {
  State(const HttpOptions& options_in, HttpHandler& handler_in)
      : options(options_in),
        handler(handler_in),
        connections(options_in),
        reading(options_in.read_workers, options_in.read_queue),
        writing(1, options_in.write_queue),
        seed(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())) {}

  HttpOptions options;
  HttpHandler& handler;
  HttpConnections connections;
  WorkQueue reading, writing;
  MHD_Daemon* daemon = nullptr;
  std::uint16_t port = 0;
  std::uint64_t seed;
  std::atomic<std::uint64_t> number{0}, under_way{0}, body_bytes{0}, answer_bytes{0};
  std::atomic<bool> stopping{false}, giving_up{false};
  std::mutex idle_mutex;
  std::condition_variable idle;
  std::size_t at_once = 0;  // requests that were taken at once and have no reply yet; guarded by idle_mutex, as is
  bool ending = false;      // that no more are taken

  Exchange* begin(const char* target, MHD_Connection* connection);
  MHD_Result step(Exchange& exchange, const char* method, const char* data, std::size_t* size);
  MHD_Result admit(Exchange& exchange, const char* method);
  MHD_Result admit_body(Exchange& exchange, std::size_t most);
  MHD_Result answer_early(Exchange& exchange);
  MHD_Result work(Exchange& exchange);
  bool work_at_once(Exchange& exchange);
  void ended_at_once();
  bool wait_for_idle(double seconds);  // whether no request is under way any more
  WorkQueue& queue_of(HttpLane lane);
  bool hold_answer(Exchange& exchange);
  MHD_Result answer(Exchange& exchange);
  MHD_Result refuse(Exchange& exchange, HttpRefusal why);
  void end(Exchange* exchange, bool sent) noexcept;
  void start();

  // What the library calls.
  static MHD_Result accepts(void* state, const sockaddr* address, socklen_t size);
  static void* on_target(void* state, const char* target, MHD_Connection* connection);
  static MHD_Result on_request(void* state, MHD_Connection* connection, const char* url, const char* method, const char* version,
                               const char* data, std::size_t* size, void** exchange);
  static void on_completed(void* state, MHD_Connection* connection, void** exchange, MHD_RequestTerminationCode why);
  static void on_connection(void* state, MHD_Connection* connection, void** socket_context, MHD_ConnectionNotificationCode what);
  static std::size_t keep_escapes(void* state, MHD_Connection* connection, char* text);
};

// While the server stops, connections are closed as they come.
MHD_Result HttpServer::State::accepts(void* state, const sockaddr* /*address*/, socklen_t /*size*/) {
  return static_cast<State*>(state)->stopping.load() ? MHD_NO : MHD_YES;
}

void* HttpServer::State::on_target(void* state, const char* target, MHD_Connection* connection) {
  return guarded<Exchange*>(nullptr, [&] { return static_cast<State*>(state)->begin(target, connection); });
}

MHD_Result HttpServer::State::on_request(void* state, MHD_Connection* /*connection*/, const char* /*url*/, const char* method,
                                         const char* /*version*/, const char* data, std::size_t* size, void** exchange) {
  if (*exchange == nullptr) return MHD_NO;
  return guarded(MHD_NO,
                 [&] { return static_cast<State*>(state)->step(*static_cast<Exchange*>(*exchange), method, data, size); });
}

void HttpServer::State::on_completed(void* state, MHD_Connection* /*connection*/, void** exchange,
                                     MHD_RequestTerminationCode why) {
  if (*exchange == nullptr) return;
  static_cast<State*>(state)->end(static_cast<Exchange*>(*exchange), why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  *exchange = nullptr;
}

void HttpServer::State::on_connection(void* state, MHD_Connection* connection, void** socket_context,
                                      MHD_ConnectionNotificationCode what) {
  HttpConnections& connections = static_cast<State*>(state)->connections;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    const MHD_ConnectionInfo* fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const MHD_ConnectionInfo* address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *socket_context =
        guarded<HttpConnection*>(nullptr, [&] { return connections.opened(fd->connect_fd, peer_name(address->client_addr)); });
    if (*socket_context == nullptr) shutdown(fd->connect_fd, SHUT_RDWR);  // nobody would watch its time
  } else if (*socket_context != nullptr) {
    connections.closed(static_cast<HttpConnection*>(*socket_context));
  }
}

// Escapes are left as they are: the handler decodes each part once, where it knows what it is.
std::size_t HttpServer::State::keep_escapes(void* /*state*/, MHD_Connection* /*connection*/, char* text) {
  return std::strlen(text);
}

Exchange* HttpServer::State::begin(const char* target, MHD_Connection* connection) {
  const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info->socket_context == nullptr) return nullptr;  // cut already, with the request on its way
  auto exchange = std::make_unique<Exchange>();
  exchange->began = Clock::now();
  exchange->connection = connection;
  exchange->request.target = target;
  exchange->socket = static_cast<HttpConnection*>(info->socket_context);
  exchange->request.peer = exchange->socket->peer();
  under_way.fetch_add(1);
  return exchange.release();
}

MHD_Result HttpServer::State::step(Exchange& exchange, const char* method, const char* data, std::size_t* size) {
  if (exchange.answered) return answer(exchange);  // resumed: the answer is ready
  if (!exchange.admitted) {
    exchange.admitted = true;
    return admit(exchange, method);
  }
  if (*size > 0) {
    // Content-Length was checked, and the library gives no more than it announced.
    exchange.request.body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  return work(exchange);
}

MHD_Result HttpServer::State::admit(Exchange& exchange, const char* method) {
  HttpRequest& request = exchange.request;
  request.method = method;
  collect_headers(exchange.connection, request.headers);
  const std::string_view own = request.header("x-request-id");
  if (is_tame_id(own)) {
    request.id = own;
  } else {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(mix_seed(seed, number.fetch_add(1))));
    request.id = text;
  }
  exchange.socket->enter(HttpConnection::Phase::kBody, options.body_seconds);
  if (exchange.socket->is_surplus()) return refuse(exchange, HttpRefusal::kTooManyConnections);
  if (request.target.size() > options.max_target_bytes) return refuse(exchange, HttpRefusal::kTargetTooLong);
  const MHD_ConnectionInfo* info = MHD_get_connection_info(exchange.connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (info != nullptr && info->header_size > options.max_header_bytes) return refuse(exchange, HttpRefusal::kHeadersTooLarge);
  HttpAdmission admission = handler.admit(request);
  request.note = admission.note;
  if (admission.refused) {
    exchange.response = std::move(admission.refusal);
    return answer_early(exchange);
  }
  exchange.lane = admission.lane;
  return admit_body(exchange, admission.max_body);
}

// Answering before the end of a request makes the library end the connection, as it must where a body is on its way. Without one,
// the end of the request comes at once: the answer waits for it, and the connection lives on.
MHD_Result HttpServer::State::answer_early(Exchange& exchange) {
  if (has_body(exchange.request)) return answer(exchange);
  exchange.answered = true;
  return MHD_YES;
}

MHD_Result HttpServer::State::admit_body(Exchange& exchange, std::size_t most) {
  const HttpRequest& request = exchange.request;
  const std::string_view length = request.header("content-length");
  if (!request.header("transfer-encoding").empty()) return refuse(exchange, HttpRefusal::kLengthMissing);
  std::size_t announced = 0;
  if (!length.empty()) {
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), announced);
    if (error != std::errc() || end != length.data() + length.size() || announced > most)
      return refuse(exchange, HttpRefusal::kBodyTooLarge);
  } else if (request.method == "POST" || request.method == "PUT") {
    return refuse(exchange, HttpRefusal::kLengthMissing);
  }
  if (!take_bytes(body_bytes, announced, options.max_body_memory)) return refuse(exchange, HttpRefusal::kBusy);
  exchange.reserved = announced;  // given back at the end, whatever happens until then
  exchange.request.body.reserve(std::min<std::size_t>(announced, std::size_t{1} << 20));
  return MHD_YES;
}

MHD_Result HttpServer::State::work(Exchange& exchange) {
  exchange.socket->enter(HttpConnection::Phase::kWork, 0);
  if (exchange.lane == HttpLane::kInline) {
    handler.handle(exchange.request, [&exchange](HttpResponse response) { exchange.response = std::move(response); });
    return answer(exchange);
  }
  // Suspended before it is given away: another thread may be done before this one is. From here on nothing may throw, or it stays
  // suspended: the functions that are handed on hold two addresses, for which they ask for no memory.
  MHD_suspend_connection(exchange.connection);
  if (exchange.lane == HttpLane::kRead && work_at_once(exchange)) return MHD_YES;
  const auto task = [this, &exchange] {
    WorkQueue& queue = queue_of(exchange.lane);
    if (giving_up.load()) {
      exchange.resume(handler.refuse(exchange.request, HttpRefusal::kStopping));
      return queue.ended();
    }
    handler.handle(exchange.request, [&exchange, &queue](HttpResponse response) {
      exchange.resume(std::move(response));
      queue.ended();
    });
  };
  const bool queued = queue_of(exchange.lane).push(task, WorkQueue::Ends::kLater);
  if (!queued) exchange.resume(handler.refuse(exchange.request, HttpRefusal::kBusy));
  return MHD_YES;
}

WorkQueue& HttpServer::State::queue_of(HttpLane lane) { return lane == HttpLane::kWrite ? writing : reading; }

// Without a worker, where the handler takes the request at once. So many may be under way as may be with the workers or wait for
// them; none once stop() waits for their end.
bool HttpServer::State::work_at_once(Exchange& exchange) {
  bool room = false;
  {
    const std::lock_guard lock(idle_mutex);
    room = !ending && at_once < options.read_workers + options.read_queue;
    if (room) ++at_once;
  }
  if (!room) {
    return handler.handle_at_once(exchange.request, false,
                                  [&exchange](HttpResponse response) { exchange.resume(std::move(response)); });
  }
  const bool taken = handler.handle_at_once(exchange.request, true, [this, &exchange](HttpResponse response) {
    exchange.resume(std::move(response));
    ended_at_once();
  });
  if (!taken) ended_at_once();
  return taken;
}

void HttpServer::State::ended_at_once() {
  const std::lock_guard lock(idle_mutex);  // until the end: afterwards the server may be gone
  if (--at_once == 0) idle.notify_all();
}

bool HttpServer::State::wait_for_idle(double seconds) {
  std::unique_lock lock(idle_mutex);
  return idle.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return under_way.load() == 0; });
}

MHD_Result HttpServer::State::refuse(Exchange& exchange, HttpRefusal why) {
  exchange.response = handler.refuse(exchange.request, why);
  return answer_early(exchange);
}

// Clients that ask for large answers and do not take them would hold any amount of memory. Small ones always go out: there are no
// more of them than connections. So do those to changes, for what was done must not be answered as refused, and their length is
// bounded by the bodies', which are held as long. What is larger than all of the memory takes all of it, and goes out alone.
bool HttpServer::State::hold_answer(Exchange& exchange) {
  const std::size_t size = exchange.response.body.size();
  if (size <= kSmallAnswer || exchange.lane == HttpLane::kWrite) return true;
  const std::size_t wanted = std::min(size, options.max_answer_memory);
  if (!take_bytes(answer_bytes, wanted, options.max_answer_memory)) return false;
  exchange.held = wanted;  // given back at the end
  return true;
}

MHD_Result HttpServer::State::answer(Exchange& exchange) {
  HttpResponse& out = exchange.response;
  if (!hold_answer(exchange)) out = handler.refuse(exchange.request, HttpRefusal::kBusy);
  // The text stays in the exchange, which outlives its answer: end() is called after the last byte.
  MHD_Response* response = MHD_create_response_from_buffer(out.body.size(), out.body.data(), MHD_RESPMEM_PERSISTENT);
  if (response == nullptr) return MHD_NO;
  if (!out.content_type.empty()) MHD_add_response_header(response, "Content-Type", out.content_type.c_str());
  for (const auto& [name, value] : out.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
  MHD_add_response_header(response, "X-Request-Id", exchange.request.id.c_str());
  if (out.close || stopping.load()) MHD_add_response_header(response, "Connection", "close");
  exchange.socket->enter(HttpConnection::Phase::kSend, options.send_seconds);
  const MHD_Result result = MHD_queue_response(exchange.connection, out.status, response);
  MHD_destroy_response(response);
  return result;
}

void HttpServer::State::end(Exchange* exchange, bool sent) noexcept {
  const std::unique_ptr<Exchange> owned(exchange);
  body_bytes.fetch_sub(owned->reserved);
  answer_bytes.fetch_sub(owned->held);
  owned->socket->enter(HttpConnection::Phase::kHeaders, options.header_seconds);
  const double seconds = std::chrono::duration<double>(Clock::now() - owned->began).count();
  if (owned->admitted) handler.finished(owned->request, owned->response, seconds, sent);
  if (under_way.fetch_sub(1) == 1) {
    const std::lock_guard lock(idle_mutex);
    idle.notify_all();
  }
}

void HttpServer::State::start() {
  const int listening = listen_on(options);
  const auto socket = behind(listening);
  port = bound_port(listening);
  const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_TURBO;
  const auto threads = static_cast<unsigned>(options.io_threads);
  // A reserve above the limit, so that those who are too many can be told so.
  const auto limit = static_cast<unsigned>(options.max_connections + options.max_connections / 8 + 64);
  // Larger than what is allowed, for the same reason. The library keeps its own answers in it too.
  const std::size_t memory = options.max_header_bytes * 2 + (std::size_t{32} << 10);
  daemon = MHD_start_daemon(flags, 0, &accepts, this, &on_request, this,              //
                            MHD_OPTION_LISTEN_SOCKET, listening,                      //
                            MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0U,  //
                            MHD_OPTION_CONNECTION_LIMIT, limit,                       //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,               //
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,                          //
                            MHD_OPTION_URI_LOG_CALLBACK, &on_target, this,            //
                            MHD_OPTION_UNESCAPE_CALLBACK, &keep_escapes, this,        //
                            MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,         //
                            MHD_OPTION_NOTIFY_CONNECTION, &on_connection, this, MHD_OPTION_END);
  if (daemon == nullptr) {
    const int error = errno;  // close() has one of its own
    // The library closes the socket in most of its failures and not in all, and says nowhere which.
    if (behind(listening) == socket) ::close(listening);
    fail(ErrorCode::kIo, "the HTTP server could not be started on ", options.address, " port ", port, ": ", std::strerror(error));
  }
}

HttpServer::HttpServer(const HttpOptions& options, HttpHandler& handler) : state_(std::make_unique<State>(options, handler)) {
  state_->start();
}

HttpServer::~HttpServer() { stop(); }

std::uint16_t HttpServer::port() const noexcept { return state_->port; }

HttpCounters HttpServer::counters() const {
  HttpCounters counters = state_->connections.counters();
  counters.requests = state_->under_way.load();
  counters.read_queue = state_->reading.waiting();
  counters.write_queue = state_->writing.waiting();
  counters.body_bytes = state_->body_bytes.load();
  counters.answer_bytes = state_->answer_bytes.load();
  return counters;
}

void HttpServer::stop() {
  if (state_->stopping.exchange(true)) return;
  // Not MHD_quiesce_daemon: it and the library's own thread both take the listening socket out of epoll, and whoever comes second
  // ends the process.
  if (!state_->wait_for_idle(state_->options.stop_seconds)) {
    state_->giving_up.store(true);
    state_->handler.give_up();
  }
  // What is queued is refused by then, and not left alone: the library demands that no connection stays suspended.
  state_->reading.finish();
  state_->writing.finish();
  {
    std::unique_lock lock(state_->idle_mutex);
    state_->ending = true;
    state_->idle.wait(lock, [&] { return state_->at_once == 0; });
  }
  state_->wait_for_idle(kLastSeconds);
  MHD_stop_daemon(state_->daemon);
  state_->connections.stop();
}

}  // namespace signet
