#include "bench/serve_load.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <sstream>

#include "signet/base/error.h"

extern char** environ;

namespace signet::bench {

Child::Child(const std::vector<std::string>& words, bool quiet_errors) {
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail(ErrorCode::kIo, "no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  if (quiet_errors) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&pid_, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  out_ = ends[0];
  if (error != 0) {
    ::close(out_);
    fail(ErrorCode::kIo, words.front(), " cannot be started");
  }
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  ::close(out_);
}

std::string Child::first_line() {
  std::string line;
  char c = 0;
  while (::read(out_, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

int Child::wait() {
  if (pid_ <= 0) return -1;
  char ignored[4096];
  while (::read(out_, ignored, sizeof ignored) > 0) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::signal(int number) const { ::kill(pid_, number); }

double Measured::percentile(double share) const {
  if (milliseconds.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(milliseconds.size())));
  return milliseconds[std::clamp<std::size_t>(rank, 1, milliseconds.size()) - 1];
}

void Measured::add(const Measured& more) {
  milliseconds.insert(milliseconds.end(), more.milliseconds.begin(), more.milliseconds.end());
  std::sort(milliseconds.begin(), milliseconds.end());
  failed += more.failed;
  seconds += more.seconds;
}

Measured run_load(const Load& load, const std::string& folder) {
  const std::string log = folder + "/h2load.log";
  std::vector<std::string> words = {"h2load",
                                    "--h1",
                                    "-t",
                                    "1",
                                    "-c",
                                    std::to_string(load.clients),
                                    "-n",
                                    std::to_string(load.requests),
                                    "--log-file=" + log,
                                    "-H",
                                    "Content-Type: " + load.content_type};
  if (!load.body_file.empty()) words.push_back("-d" + load.body_file);
  if (load.per_second > 0) words.push_back("--rps=" + std::to_string(load.per_second / static_cast<double>(load.clients)));
  words.push_back(load.url);
  ::unlink(log.c_str());
  Child child(words);
  if (const int status = child.wait(); status != 0) fail(ErrorCode::kIo, "h2load ended with status ", status);
  Measured measured;
  std::ifstream in(log);
  std::int64_t begin = 0, microseconds = 0, first = INT64_MAX, last = 0;
  int status = 0;
  std::size_t lines = 0;
  for (; in >> begin >> status >> microseconds; ++lines) {
    first = std::min(first, begin);
    last = std::max(last, begin + microseconds);
    if (status >= 200 && status < 300) {
      measured.milliseconds.push_back(static_cast<double>(microseconds) / 1000);
    } else {
      ++measured.failed;
    }
  }
  measured.failed += load.requests - std::min(lines, load.requests);
  measured.seconds = last > first ? static_cast<double>(last - first) / 1e6 : 0;
  std::sort(measured.milliseconds.begin(), measured.milliseconds.end());
  return measured;
}

double resident_mb(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

double now_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace signet::bench
