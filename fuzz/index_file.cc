// index.sig, behind right checksums: opening, every accessor, a search, the full check.
#include "signet/index/index_file.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/repair.h"

SIGNET_FUZZ_CONTAINER_MUTATOR

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  MemoryFiles files("i.sig", fuzz::input(data, size));
  std::shared_ptr<const IndexFile> file;
  fuzz::value_or_error([&] {
    BuildOptions options;
    options.kind = "flat";
    file = IndexFile::open(files, "i.sig", options);
  });
  if (!file) return 0;
  const std::size_t count = file->index().size();
  fuzz::require(count <= size, "no more codes than bytes");
  for (std::uint64_t id = 0; id < count + 2 && id < 64; ++id) {
    fuzz::value_or_error([&] { file->key(id); });
    fuzz::value_or_error([&] { file->labels(id); });
    fuzz::value_or_error([&] { fuzz::require(file->code(id).size() == bytes_per_code(file->index().bits()), "a whole code"); });
  }
  fuzz::value_or_error([&] { file->find("a"); });
  fuzz::value_or_error([&] {
    SearchOptions options;
    options.k = 5;
    const SearchResult result = file->index().search(CodeMatrix(1, file->index().bits()), options);
    fuzz::require(result.hits.size() == 1 && result.hits[0].size() == std::min<std::size_t>(5, count), "five hits, or all");
  });
  fuzz::value_or_error([&] { file->verify(); });
  return 0;
}
