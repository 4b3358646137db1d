// A folder of codes: codes.json and keys.txt are the input, codes.npy and labels.txt are right. What is accepted comes back the
// same.
#include "signet/code/code_set.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  static MemoryFiles right;
  static const bool kWritten = [] {
    CodeSet set;
    set.codes = CodeMatrix(12, {0xff, 0x0f, 0x01, 0x00, 0x00, 0x00});
    set.keys = {"a", "b", "c"};
    set.labels = {{0}, {}, {1, 0}};
    write_code_set(right, "set", set);
    return true;
  }();
  fuzz::require(kWritten, "the right set is there");
  const fuzz::Pair parts = fuzz::cut(fuzz::input(data, size));
  fuzz::value_or_error([&] {
    MemoryFiles files;
    for (const std::string& name : right.list("set")) files.put("set/" + name, right.map("set/" + name)->data());
    files.put("set/codes.json", parts.first);
    if (!parts.second.empty()) files.put("set/keys.txt", parts.second);
    const CodeSet set = read_code_set(files, "set");
    fuzz::require(set.keys.size() == set.codes.size(), "one key a code");
    write_code_set(files, "again", set);
    const CodeSet again = read_code_set(files, "again");
    fuzz::require(again.codes == set.codes && again.keys == set.keys && again.labels == set.labels, "written and read again");
    fuzz::require(again.class_names == set.class_names && again.model == set.model && again.root == set.root, "names kept");
  });
  return 0;
}
