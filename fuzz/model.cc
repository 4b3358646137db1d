// Model files (ONNX), behind a right closing checksum. A model that is accepted is byte for byte what our writer makes of it.
#include "signet/encode/model.h"

#include <algorithm>
#include <cstring>

#include "base/memory_file.h"
#include "encode/onnx_file.h"
#include "fuzz/fuzz.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0 || size < 8) return size;
  const std::string right = signet::with_closing_crc(std::string(reinterpret_cast<const char*>(data), size));
  if (right.size() == size) std::memcpy(data, right.data(), size);
  return size;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  const auto bytes = fuzz::input(data, size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::value_or_error([&] {
    const Model model = parse_model(bytes, "m.onnx");
    MemoryFiles files;
    write_model(files, "n.onnx", model);
    const auto again = read_file(files, "n.onnx", ~std::uint64_t{0});
    fuzz::require(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "written again, the same bytes");
  });
  // The two decoders beneath, which the fingerprint shields from nearly all mutations.
  fuzz::value_or_error([&] { decode_onnx_metadata(text); });
  fuzz::value_or_error([&] { check_network(decode_onnx(text).network); });
  return 0;
}
