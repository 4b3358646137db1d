// Tar archives: the member list, and the data set of what is inside.
#include "dataset/tar.h"
#include "fuzz/files.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  static const fuzz::Folder kFolder;
  fuzz::value_or_error([&] {
    DatasetOptions options;
    options.limits.max_pixels = 1 << 20;
    const auto archive = fuzz::input(data, size);
    for (const reader::TarMember& member : reader::list_tar(archive, "x.tar")) {
      fuzz::require(member.offset <= size && member.size <= size - member.offset, "a member lies inside the archive");
    }
    options.format = DatasetFormat::kTar;
    const auto dataset = open_dataset(kFolder.put("x.tar", archive), options);
    fuzz::read_samples(*dataset, [](const auto& action) { fuzz::value_or_error(action); });
  });
  return 0;
}
