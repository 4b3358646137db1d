#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "apps/signet/command.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

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

}  // namespace

int run_train(Arguments words) {
  const std::string path = find_trainer();
  std::vector<std::string> arguments = {path};
  arguments.insert(arguments.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(path.c_str(), pointers.data());
  fail(ErrorCode::kIo, path, " cannot be run: ", std::strerror(errno));
}

}  // namespace signet::cli
