#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signet {

// A SQLite VFS for tests that counts everything that changes a file, fails on demand, and knows what a disk may forget: the
// counterpart of FaultFileSystem for SQLite's own files. Model of a disk without power: content is durable up to the last sync of
// the file; each write since then is kept or lost on its own (a seed decides; seed 0 loses all); a file that was deleted may be
// back.
class FaultVfs {
 public:
  enum class Kind { kIoError, kNoSpace, kPowerLoss };
  FaultVfs();
  ~FaultVfs();  // every connection must be closed
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  const std::string& name() const;

  std::uint64_t operations() const;
  void fail_at(std::uint64_t operation,
               Kind kind);  // the first ever is 1; kIoError and kNoSpace hit this operation and, if `persistent`, all later
  void persistent(bool on);
  bool hit() const;
  void cut_power();                         // now: every later operation fails
  void on_cut(std::function<void()> then);  // called when power goes, from inside the operation
  void lose_power(std::uint64_t seed);      // connections are closed: unsynced content goes, -shm files go, operations work again

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace signet
