// index.sig, behind right checksums: opening, every accessor, searches by a scan and by what is stored beside the codes, the full
// check.
#include "signet/index/index_file.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/repair.h"

SIGNET_FUZZ_CONTAINER_MUTATOR

namespace {

using namespace signet;

std::shared_ptr<const IndexFile> opened(MemoryFiles& files, const std::string& kind) {
  std::shared_ptr<const IndexFile> file;
  fuzz::value_or_error([&] {
    BuildOptions options;
    options.kind = kind;
    file = IndexFile::open(files, "i.sig", options);
  });
  return file;
}

// Through tables and cells as far as the file holds any. They may be any nonsense that fits, and hits may then be missing, but no
// more come than were asked for.
void search_stored(MemoryFiles& files) {
  const std::shared_ptr<const IndexFile> file = opened(files, "auto");
  if (!file) return;
  const CodeMatrix query(1, file->index().bits());
  const auto search = [&](std::size_t k, std::optional<std::uint32_t> radius) {
    SearchOptions options;
    options.k = k;
    options.radius = radius;
    fuzz::value_or_error([&] {
      const SearchResult result = file->index().search(query, options);
      fuzz::require(result.hits.size() == 1 && result.hits[0].size() <= k, "no more hits than asked for");
    });
  };
  search(1, std::nullopt);
  search(kAllHits, 0);
  search(kAllHits, 2);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemoryFiles files("i.sig", fuzz::input(data, size));
  search_stored(files);
  const std::shared_ptr<const IndexFile> file = opened(files, "flat");
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
