#pragma once

#include <string>
#include <vector>

namespace signet::cli {

// Between the arguments of two runs that one start of the trainer does one after the other.
constexpr const char* kAndThen = "--and-then";

// The program signet-train beside this one or in ../libexec/signet. Throws kNotFound naming both places.
std::string find_trainer();

// Pointers into `words`, the program first, with the null at the end that execv wants. They hold as long as `words` is not
// changed.
std::vector<char*> exec_arguments(std::vector<std::string>& words);

struct TrainerOutcome {
  std::string output;          // what it wrote to standard output
  double peak_memory_mib = 0;  // largest resident size
};

// Runs it with these arguments to its end; standard error goes where ours goes. When we are interrupted it is asked to stop in
// order (it writes its checkpoint), and when we are killed the system asks it. Throws kCancelled after an interruption, and what
// its exit status says where it fails: its own sentence is then already on standard error.
TrainerOutcome run_trainer(const std::vector<std::string>& arguments);

}  // namespace signet::cli
