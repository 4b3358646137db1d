// A catalog that is read as a file that nobody changes, because its log cannot be opened here, and changes between two of its
// rows.
#include <filesystem>
#include <functional>
#include <utility>

#include "base/test_files.h"
#include "fault_vfs.h"
#include "model.h"
#include "store/view.h"

namespace signet {
namespace {

// Calls what is due the next time that a segment is mapped, and then what is due the next time that a catalog is opened.
class Interrupted final : public ForwardingFiles {
 public:
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    if (on_map) std::exchange(on_map, {})();
    return ForwardingFiles::map(path);
  }
  bool exists(const std::string& path) override {
    if (!on_map && on_open && file_name(path) == store::kRepairedName) std::exchange(on_open, {})();
    return ForwardingFiles::exists(path);
  }
  std::function<void()> on_map, on_open;
};

TEST(ChangingCatalog, TombstonesOfAnotherCommitAreNotKept) {
  const FastFolder folder;
  const std::string home = folder.path("c"), catalog = store::catalog_path(home);
  FileSystem& fs = real_file_system();
  const CodeMatrix codes = random_codes(20, kTestBits, 1);
  CollectionWriter::create(fs, home, test_create())->add({&codes, test_records(20, 0), kModelA});
  const auto before = read_file(fs, catalog, 1 << 24);
  CollectionWriter::open(fs, home)->remove_ids(std::vector<std::uint64_t>{3});
  const auto after = read_file(fs, catalog, 1 << 24);
  const auto write = [&](std::span<const std::byte> content) {  // over the old content: connections have it open
    const auto file = fs.create(catalog);
    file->append(content);
    file->close();
  };
  std::filesystem::last_write_time(catalog, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));

  // The state of the removal, then the tombstones of before it; then all of the removal.
  Interrupted files;
  files.on_map = [&] { write(before); };
  files.on_open = [&] { write(after); };
  FaultVfs vfs;
  vfs.fail_at(1, FaultVfs::Kind::kIoError);  // a log is not made
  vfs.persistent(true);
  ReaderOptions options;
  options.sqlite_vfs = vfs.name();
  const auto view = Collection::open(files, home, options)->view();
  EXPECT_FALSE(files.on_map);
  EXPECT_FALSE(files.on_open);
  EXPECT_EQ(view->list(0, 100).size(), 19u);
  const auto ids = view->ids();
  EXPECT_EQ(ids.size(), 19u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 3u), 0);
}

}  // namespace
}  // namespace signet
