// MNIST's idx files: images and labels, plain, or as .gz where the first byte is odd.
#include "fuzz/files.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  static const fuzz::Folder kFolder;
  fuzz::value_or_error([&] {
    DatasetOptions options;
    options.limits.max_pixels = 1 << 20;
    if (size == 0) return;
    const std::string ending = data[0] % 2 == 1 ? ".gz" : "";
    const fuzz::Pair parts = fuzz::cut(fuzz::input(data, size).subspan(1));
    for (const std::string& name : real_file_system().list(kFolder.path()))
      real_file_system().remove(join_path(kFolder.path(), name));
    kFolder.put("train-images-idx3-ubyte" + ending, parts.first);
    kFolder.put("train-labels-idx1-ubyte" + ending, parts.second);
    options.format = DatasetFormat::kIdx;
    const auto dataset = open_dataset(kFolder.path(), options);
    fuzz::read_samples(*dataset, [](const auto& action) { fuzz::value_or_error(action); });
  });
  return 0;
}
