#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace signet {

// What kind of thing went wrong. The command line turns it into an exit status, the service into an HTTP status.
enum class ErrorCode {
  kUsage,            // a flag or a combination of flags that makes no sense
  kInvalidArgument,  // a value outside its range, data that cannot be used as asked
  kNotFound,         // a file, key, class or name that does not exist
  kCorrupt,          // bytes that contradict their format or checksum
  kMismatch,         // two things that do not belong together (codes of another model, another length)
  kUnsupported,      // well-formed, but of a version or kind that this build does not read
  kBusy,             // somebody else holds the lock
  kIo,               // the operating system refused: disk full, permission, read error
  kCancelled,        // stopped on request; work so far is kept where the caller asked for it
  kInternal,         // a broken invariant of signet itself
};

// The only exception type that signet throws across a room's door. The message is one sentence that names the file or flag,
// the bad value, and what would be right. Errors of libtorch, OpenCV and SQLite are turned into it at the door of their room.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

// Exit status of the command line for an error: 2 usage, 3 bad input or environment, 4 internal, 130 cancelled.
int exit_status(ErrorCode code) noexcept;

// Concatenates the printed forms of its arguments: concat("bits ", 0, " must be 1 to 4096").
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

// Throws Error{code, concat(parts...)}.
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

}  // namespace signet
