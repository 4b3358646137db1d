// CSV and TSV manifests; the picture that keys may name exists.
#include "dataset/csv.h"
#include "fuzz/files.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  static const fuzz::Folder kFolder;
  fuzz::value_or_error([&] {
    DatasetOptions options;
    options.limits.max_pixels = 1 << 20;
    const auto bytes = fuzz::input(data, size);
    fuzz::value_or_error([&] { reader::parse_csv(bytes, size % 2 == 0 ? ',' : '\t', "x.csv"); });
    if (!real_file_system().exists(join_path(kFolder.path(), "a.png")))
      kFolder.put("a.png", encode_png(Image{2, 1, 1, {0, 255}}));
    options.format = DatasetFormat::kManifest;
    const auto dataset = open_dataset(kFolder.put(size % 2 == 0 ? "x.csv" : "x.tsv", bytes), options);
    fuzz::read_samples(*dataset, [](const auto& action) { fuzz::value_or_error(action); });
  });
  return 0;
}
