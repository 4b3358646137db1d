// Model files (ONNX), behind a right closing checksum. A model that is accepted is byte for byte what our writer makes of it.
#include "signet/encode/model.h"

#include <algorithm>
#include <cstring>

#include "base/memory_file.h"
#include "encode/onnx_file.h"
#include "fuzz/fuzz.h"
#include "signet/base/crc32c.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  constexpr std::size_t kDigits = 8;  // the last bytes of a model file: the CRC of those before them
  if (seed % 8 == 0 || size < kDigits) return size;
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%08x", signet::crc32c(signet::fuzz::input(data, size - kDigits)));
  std::memcpy(data + size - kDigits, digits, kDigits);
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
