#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/data.h"
#include "apps/signet/options.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/code/code_set.h"
#include "signet/index/index_file.h"

namespace signet::cli {

int run_index(Arguments words) {
  std::string codes, out;
  bool json = false;
  Options options("index", "Write the codes of a folder as one memory-mapped index file, bound to the model that made them.",
                  "signet index --codes codes/ --out index.sig");
  options->text("--codes", codes, "folder that encode wrote", "FOLDER", Need::kRequired);
  options->text("--out", out, "the index file", "FILE", Need::kRequired);
  options->json(json);
  if (!options.parse(words)) return 0;

  check_output_file("--out", out, Output::kIndex);
  const double began = now_seconds();
  const CodeSet set = read_code_set(real_file_system(), codes);
  write_index_file(real_file_system(), out, set);
  const double seconds = now_seconds() - began;
  const std::uint64_t bytes = real_file_system().size(out);
  if (json) {
    const nlohmann::ordered_json object = {{"out", out},     {"codes", set.codes.size()}, {"bits", set.codes.bits()},
                                           {"bytes", bytes}, {"model", set.model},        {"seconds", seconds}};
    print_json(object);
  } else {
    std::cout << "wrote " << out << ": " << with_commas(set.codes.size()) << " codes of " << set.codes.bits() << " bits, "
              << human_bytes(bytes) << " with keys and labels, in " << human_seconds(seconds) << '\n';
  }
  return 0;
}

}  // namespace signet::cli
