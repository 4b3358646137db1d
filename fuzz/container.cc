// The container: a layout without freedom, so that what is accepted is byte for byte what the writer makes of its sections.
#include "signet/base/container.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/repair.h"

SIGNET_FUZZ_CONTAINER_MUTATOR

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  MemoryFiles files("c", fuzz::input(data, size));
  fuzz::value_or_error([&] {
    const auto container = Container::open(files, "c", "FUZZ", 3, size % 2 == 0 ? 64 : ~std::uint64_t{0});
    container->verify();
    ContainerWriter writer(files, "d", "FUZZ", container->version());
    for (const std::string& name : container->names()) {
      fuzz::require(container->has(name), "a section that is named is there");
      writer.begin_section(name);
      writer.append(container->section(name));
    }
    writer.finish();
    fuzz::require(read_file(files, "d", ~std::uint64_t{0}) == read_file(files, "c", ~std::uint64_t{0}),
                  "written again, the same bytes");
  });
  return 0;
}
