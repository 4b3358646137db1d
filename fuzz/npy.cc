// .npy: what is accepted comes back the same through our own writer.
#include "signet/code/npy.h"

#include "base/memory_file.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  const auto bytes = fuzz::input(data, size);
  fuzz::value_or_error([&] {
    const NpyArray array = parse_npy(bytes, "x.npy");
    fuzz::require(array.data.size() <= bytes.size(), "no more data than the file holds");
    MemoryFiles files;
    write_npy(files, "y.npy", array.type, array.shape, array.data);
    const NpyArray again = read_npy(files, "y.npy");
    fuzz::require(again.type == array.type && again.shape == array.shape && again.data == array.data, "written and read again");
  });
  fuzz::value_or_error([&] {
    MemoryFiles files("x.npy", bytes);
    const CodeMatrix codes = read_codes_npy(files, "x.npy", size % 2 == 0 ? 0 : 12);
    fuzz::require(codes.data().size() == codes.size() * codes.stride(), "whole codes");
  });
  return 0;
}
