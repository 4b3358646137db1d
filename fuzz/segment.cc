// A code segment of a collection, behind right checksums, as repair reads it: without a catalog that says what to expect.
#include "store/segment.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/repair.h"

SIGNET_FUZZ_CONTAINER_MUTATOR

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  MemoryFiles files("s/00000001.seg", fuzz::input(data, size));
  std::shared_ptr<const store::SegmentFile> segment;
  fuzz::value_or_error([&] { segment = store::SegmentFile::open_alone(files, "s/00000001.seg"); });
  if (!segment) return 0;
  const store::IdColumn& ids = segment->ids();
  fuzz::require(ids.count > 0 && ids.count <= size, "no more codes than bytes");
  for (std::uint64_t i = 0; i < ids.count && i < 64; ++i) {
    fuzz::require(segment->code(i).size() == (segment->bits() + 7) / 8, "a whole code");
    ids.position(ids.id(i));
  }
  segment->damaged_blocks();
  segment->ids_are_good();
  fuzz::value_or_error([&] { segment->verify(); });
  return 0;
}
