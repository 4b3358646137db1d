#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signet/base/file_system.h"

namespace signet {

// What goes wrong at an operation.
enum class Fault {
  kIoError,    // EIO: an append writes half of its bytes first; what a failed sync should have saved is lost for good, even if a
               // later sync of the same file succeeds (as on Linux, which marks the pages clean)
  kNoSpace,    // ENOSPC: create, append (half of its bytes are written), link and create_directory; other operations succeed
  kPowerLoss,  // this operation (an append writes half of its bytes first) and everything after it fails until lose_power()
};

// The twin of FileSystem for crash tests: works on the real files under the system beneath, counts every operation that changes
// something, fails on demand, and knows what a disk may forget. Its model of a disk without power:
//   - file content is durable up to the last sync() of the file; content that a create() truncated comes back if it was durable
//   before
//   - create, rename, link and remove are durable once sync_directory() of the folder has returned, not earlier: a sync of the
//   file
//     does not save its name (a rename between folders: the folder it goes to)
//   - create_directory syncs the parent of each folder that it makes, which counts as a sync_directory of its own and may fail:
//     then the folder is there, and not durable
//   - files and folders that were there before this object first touched them are durable
// Thread-safe. Keeps the durable content of removed and truncated files in memory: for tests with small files. Files that others
// change behind its back (SQLite) are none of its business, but vanish with a folder that was not durable.
class FaultFileSystem final : public FileSystem {
 public:
  explicit FaultFileSystem(FileSystem& beneath = real_file_system());
  ~FaultFileSystem() override;

  // Changing operations so far: create, append, sync, rename, rename_new, link, remove, create_directory, sync_directory; failed
  // ones count too.
  std::uint64_t operations() const;
  // One line an operation, in order: "append /tmp/x/codes.seg 4096".
  std::vector<std::string> log() const;

  // The operation number `operation` (the first ever is 1) fails, and with `persistent` every later one that the fault applies
  // to.
  void fail_at(std::uint64_t operation, Fault fault, bool persistent = false);
  void clear_fault();  // nothing fails any more; does not bring power back
  bool fault_hit() const;

  // From now on the bytes [from, to) of this file cannot be read (EIO), as where a sector of a disk is damaged; nor under a name
  // that it is linked to later. Mapping the file is an error then, because touching them would end the process. One such part a
  // file.
  void fail_reads(const std::string& path, std::uint64_t from, std::uint64_t to);

  // The machine loses power now and starts again: what was not durable is gone from the real files, open WritableFiles are dead,
  // the fault is cleared and operations work again. With seed 0 everything not durable is lost (the least a disk may keep); any
  // other seed keeps a random beginning of the folder operations in their order and a random beginning of each file's unsynced
  // bytes.
  void lose_power(std::uint64_t seed = 0);

  std::unique_ptr<WritableFile> create(const std::string& path) override;
  std::unique_ptr<ReadableFile> open(const std::string& path) override;
  std::unique_ptr<MappedFile> map(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  bool rename_new(const std::string& from, const std::string& to) override;
  bool link(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void create_directory(const std::string& path) override;
  void sync_directory(const std::string& path) override;
  bool exists(const std::string& path) override;
  std::uint64_t size(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) override;

 private:
  struct State;
  class File;
  class Reading;
  std::shared_ptr<State> state_;
};

}  // namespace signet
