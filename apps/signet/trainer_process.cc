#include "apps/signet/trainer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

constexpr int kPollMilliseconds = 200;

[[noreturn]] void become(const std::string& program, const std::vector<char*>& words, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(130);  // killed before the line above
  dup2(output, STDOUT_FILENO);
  execv(program.c_str(), words.data());
  _exit(127);
}

// Everything that comes through the pipe until its end; passes an interruption on, once.
std::string read_all(int pipe, pid_t child) {
  std::string text;
  bool told = false;
  for (;;) {
    if (interrupted() && !told) {
      kill(child, SIGTERM);
      told = true;
    }
    pollfd waiting{pipe, POLLIN, 0};
    if (poll(&waiting, 1, kPollMilliseconds) <= 0) continue;
    std::array<char, 4096> block;
    const ssize_t got = read(pipe, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

// Training lives in a program of its own, because it alone needs libtorch, whose loading would cost every search a second.
std::string find_trainer() {
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) fail(ErrorCode::kInternal, "/proc/self/exe cannot be read (", error.message(), "), so signet-train cannot be found");
  const std::string here = parent_path(self);
  const std::array candidates = {join_path(here, "signet-train"), join_path(parent_path(here), "libexec/signet/signet-train")};
  for (const std::string& path : candidates) {
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  fail(ErrorCode::kNotFound, "this build has no training program: neither ", candidates[0], " nor ", candidates[1],
       " exists; build with -DSIGNET_LEARN=ON and libtorch installed");
}

std::vector<char*> exec_arguments(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

TrainerOutcome run_trainer(const std::vector<std::string>& arguments) {
  const std::string program = find_trainer();
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> pointers = exec_arguments(words);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(ErrorCode::kIo, "no pipe to signet-train can be made: ", std::strerror(errno));
  const pid_t parent = getpid(), child = fork();
  if (child == 0) become(program, pointers, ends[1], parent);
  const int forked = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    fail(ErrorCode::kIo, program, " cannot be run: ", std::strerror(forked));
  }
  TrainerOutcome outcome;
  outcome.output = read_all(ends[0], child);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  outcome.peak_memory_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return outcome;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  if (interrupted() || code == exit_status(ErrorCode::kCancelled))
    fail(ErrorCode::kCancelled, "stopped on request; the same command goes on from here");
  const ErrorCode kind = code == 2 ? ErrorCode::kUsage : code == 3 ? ErrorCode::kInvalidArgument : ErrorCode::kInternal;
  fail(kind, "signet-train ended with ", code < 0 ? "signal " : "status ", code < 0 ? -code : code);
}

}  // namespace signet::cli
