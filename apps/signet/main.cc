#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include "apps/signet/command.h"
#include "apps/signet/options.h"
#include "apps/signet/version.h"
#include "signet/base/error.h"

namespace signet::cli {
namespace {

constexpr std::array kVerbs = {
    Verb{"train", "train a network and its hash function together from labelled images", run_train},
    Verb{"encode", "turn images into codes with a trained model", run_encode},
    Verb{"index", "write codes as one index file", run_index},
    Verb{"search", "find the nearest images to a picture, exactly", run_search},
    Verb{"eval", "measure codes against labels under a named protocol", run_eval},
    Verb{"inspect", "say what a model, index, codes, data set, collection or picture is", run_inspect},
    Verb{"add", "encode new and changed pictures of a folder into a collection", run_add},
    Verb{"collection", "create, list, check and maintain a collection on disk", run_collection,
         "create add remove list compact verify repair export import backup"},
    Verb{"serve", "answer searches over HTTP, and show the collection on a page", run_serve},
    Verb{"migrate", "encode a collection's pictures again with another model", run_migrate},
    Verb{"dedup", "find duplicates, plan what to move away, do it, undo it", run_dedup, "apply undo verdict"},
    Verb{"export-images", "write images of a data set as PNG files", run_export_images},
    Verb{"shorten", "make a model of the first bits of another one's codes, and shorten codes", run_shorten},
    Verb{"reproduce", "run plans of experiments and make the pages of results from their records", run_reproduce},
    Verb{"compare", "set methods side by side from stored records, on one page", run_compare},
    Verb{"completion", "print tab completion for bash, zsh or fish", run_completion},
};

void print_help() {
  std::cout << "signet " SIGNET_VERSION
               ": learned binary signatures of images, and exact search over them\n\nusage: signet VERB [OPTION...]\n\n";
  std::size_t width = 0;
  for (const Verb& verb : kVerbs) width = std::max(width, verb.name.size());
  for (const Verb& verb : kVerbs) {
    std::cout << "  " << verb.name << std::string(width + 2 - verb.name.size(), ' ') << verb.summary << '\n';
  }
  std::cout << "\nsignet VERB --help lists a verb's options with an example; signet --version prints the version.\n"
               "Exit status: 0 done, 2 usage, 3 bad input, 4 internal error, 130 interrupted.\n";
}

[[noreturn]] void fail_unknown_verb(const std::string& name) {
  std::vector<std::string> known;
  known.reserve(std::size(kVerbs));
  for (const Verb& verb : kVerbs) known.emplace_back(verb.name);
  const std::string nearest = nearest_name(name, known);
  if (nearest.empty()) fail(ErrorCode::kUsage, "there is no verb \"", name, "\"; signet --help lists them");
  fail(ErrorCode::kUsage, "there is no verb \"", name, "\"; did you mean \"", nearest, "\"?");
}

int dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_help();
    return exit_status(ErrorCode::kUsage);
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return 0;
  }
  if (name == "--version" || name == "version") {
    std::cout << "signet " << full_version() << '\n';
    return 0;
  }
  const auto verb = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const Verb& v) { return v.name == name; });
  if (verb == kVerbs.end()) fail_unknown_verb(name);
  return verb->run(Arguments(arguments).subspan(1));
}

int report(const std::string& who, const std::string& message, ErrorCode code) {
  std::cout.flush();  // what was printed before stays above the sentence that ends it
  std::cerr << who << ": " << message << '\n';
  return exit_status(code);
}

int run(const std::vector<std::string>& arguments) {
  const bool in_verb = !arguments.empty() && arguments.front().substr(0, 1) != "-" &&
                       std::any_of(kVerbs.begin(), kVerbs.end(), [&](const Verb& v) { return v.name == arguments.front(); });
  const std::string who = in_verb ? concat("signet ", arguments.front()) : "signet";
  try {
    const int status = dispatch(arguments);
    if (!std::cout.flush()) fail(ErrorCode::kIo, "the results could not be written to standard output (is the disk full?)");
    return status;
  } catch (const Error& error) {
    return report(who, error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return report(who, "there is not enough memory for this; fewer --threads or smaller inputs need less", ErrorCode::kInternal);
  } catch (const std::exception& error) {
    return report(who, concat("an internal error, please report it: ", error.what()), ErrorCode::kInternal);
  }
}

}  // namespace

std::span<const Verb> verbs() noexcept { return kVerbs; }

}  // namespace signet::cli

int main(int count, char** values) { return signet::cli::run(std::vector<std::string>(values + 1, values + count)); }
