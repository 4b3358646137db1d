// A trained first stage, *.features, behind right checksums, or a model file: the first bytes say which.
#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/repair.h"
#include "signet/base/container.h"
#include "signet/encode/features_file.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  const std::span<std::byte> file = std::as_writable_bytes(std::span(data, size));
  if (seed % 8 != 0 && signet::starts_as_container(file)) signet::fuzz::repair_container(file, seed % 3 == 0);
  return size;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  const auto bytes = fuzz::input(data, size);
  MemoryFiles files("f", bytes);
  fuzz::value_or_error([&] {
    const FeaturesSource source = read_features_source(files, "f");
    fuzz::require(source.first_stage == starts_as_container(bytes), "a first stage is a container");
    fuzz::require(source.image_passes <= std::uint64_t{1} << 53, "passes that a double counts one by one");
    fuzz::require(source.seconds >= 0 && source.seconds <= 0x1p53, "a length of time");
    const auto again = model_bytes(source.model, "f");
    fuzz::require(parse_model(again, "f").info.fingerprint == source.model.info.fingerprint, "a model that can be written");
  });
  return 0;
}
