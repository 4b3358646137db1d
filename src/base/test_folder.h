#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

// For tests of any room: a fresh folder of its own for every test, gone afterwards, a matcher for errors, and a process with
// fewer rights.
namespace signet {

class TestFolder : public testing::Test {
 protected:
  TestFolder() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = concat(info->test_suite_name(), ".", info->name(), ".", ::getpid());
    for (char& c : name) c = c == '/' ? '_' : c;
    folder_ = join_path(testing::TempDir(), name);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~TestFolder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::string& folder() const { return folder_; }
  std::string path(const std::string& name) const { return join_path(folder_, name); }

  static void put(const std::string& path, std::string_view text) {
    const auto file = real_file_system().create(path);
    file->append(std::as_bytes(std::span(text.data(), text.size())));
    file->close();
  }
  static std::string get(FileSystem& fs, const std::string& path) {
    const auto bytes = read_file(fs, path, std::uint64_t{1} << 30);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::string get(const std::string& path) { return get(real_file_system(), path); }

 private:
  std::string folder_;
};

// Runs `action` in a process without the rights of root; returns what it returned.
template <typename Action>
int as_nobody(const Action& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(99);
    ::_exit(action());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The code of the Error that `action` throws, and in `message` its sentence. Fails the test where it throws nothing.
template <typename Action>
ErrorCode error_of(const Action& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "no error was thrown";
  return ErrorCode::kInternal;
}

}  // namespace signet
