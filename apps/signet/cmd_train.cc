#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "apps/signet/command.h"
#include "apps/signet/trainer_process.h"
#include "signet/base/error.h"

namespace signet::cli {

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
