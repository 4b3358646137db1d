#pragma once

#include <span>
#include <string>
#include <string_view>

// The command line: one verb, one file cmd_<verb>.cc with one function below, one row of the table in main.cc. A verb parses,
// calls the rooms and prints; it returns the exit status and reports trouble by throwing Error, which main() turns into one
// sentence on stderr.
namespace signet::cli {

using Arguments = std::span<const std::string>;  // what follows the verb

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line of `signet --help`
  int (*run)(Arguments arguments);
  std::string_view sub_verbs = {};  // with a --help of their own, blanks between them; for tab completion
};

std::span<const Verb> verbs() noexcept;

int run_train(Arguments arguments);
int run_encode(Arguments arguments);
int run_index(Arguments arguments);
int run_search(Arguments arguments);
int run_eval(Arguments arguments);
int run_inspect(Arguments arguments);
int run_collection(Arguments arguments);
int run_add(Arguments arguments);
int run_migrate(Arguments arguments);
int run_export_images(Arguments arguments);
int run_shorten(Arguments arguments);
int run_reproduce(Arguments arguments);
int run_compare(Arguments arguments);
int run_serve(Arguments arguments);
int run_dedup(Arguments arguments);
int run_completion(Arguments arguments);

}  // namespace signet::cli
