// CIFAR-10's binary files: the input is a batch, and one cut to whole records where its length is odd.
#include "fuzz/files.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  static const fuzz::Folder kFolder;
  fuzz::value_or_error([&] {
    DatasetOptions options;
    options.limits.max_pixels = 1 << 20;
    constexpr std::size_t kRecord = 3073;
    const std::size_t length = size % 2 == 1 && size > kRecord ? size / kRecord * kRecord : size;
    kFolder.put("data_batch_1.bin", fuzz::input(data, length));
    options.format = DatasetFormat::kCifar;
    const auto dataset = open_dataset(kFolder.path(), options);
    fuzz::read_samples(*dataset, [](const auto& action) { fuzz::value_or_error(action); });
  });
  return 0;
}
