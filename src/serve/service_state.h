#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "serve/duplicate_finder.h"
#include "serve/live_collection.h"
#include "serve/picture_memory.h"
#include "serve/picture_source.h"
#include "serve/search_passes.h"
#include "signet/encode/encoder.h"
#include "signet/serve/service.h"
#include "signet/store/collection_writer.h"

namespace signet {

// The one writer of this process: opened at the first change and given up when no change has come for a while, so that `signet
// add` and others can write to a collection that is being served.
class WriterLease {
 public:
  WriterLease(FileSystem& fs, std::string path, double keep_seconds);
  ~WriterLease();  // stop()
  // Calls change(writer) with the writer open, one call at a time. After an Error of the disk, and after what is no Error (no
  // memory), the writer is opened anew next time.
  template <typename Change>
  auto use(const Change& change);
  void stop() noexcept;

 private:
  void open();
  void watch();

  FileSystem& fs_;
  const std::string path_;
  const double keep_seconds_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<CollectionWriter> writer_;
  std::chrono::steady_clock::time_point used_;
  bool stopped_ = false;
  std::thread watcher_;
};

template <typename Change>
auto WriterLease::use(const Change& change) {
  const std::lock_guard lock(mutex_);
  open();
  try {
    auto result = change(*writer_);
    used_ = std::chrono::steady_clock::now();
    wake_.notify_all();
    return result;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kInternal)
      writer_.reset();
    used_ = std::chrono::steady_clock::now();
    wake_.notify_all();
    throw;
  } catch (...) {
    writer_.reset();
    throw;
  }
}

struct Service::State {
  State(FileSystem& fs_in, const ServiceOptions& options_in);
  ImageEntry entry(const CollectionState& now, ImageRecord record) const;
  DecodedPicture decode(std::span<const std::byte> bytes, double wait_seconds) const;  // a client's picture
  std::vector<float> outputs(DecodedPicture picture) const;                            // throws kUsage where there is no model
  std::unique_ptr<PassQuestion> question(const SearchQuery& query) const;
  SearchAnswer page(PassQuestion& found, std::size_t offset, std::size_t limit) const;
  void check_encodes() const;
  void answer(std::span<PassQuestion* const> questions) const;  // of one pass
  void encode(std::span<PassQuestion* const> questions) const;  // those that bring a picture
  std::vector<std::uint64_t> filter(const CollectionState& now, const std::vector<std::string>& labels) const;
  // What is committed, to those who hold the writer: nobody changes it meanwhile.
  std::shared_ptr<const CollectionState> newest() const;
  // Calls make(writer), one call at a time; the next question sees what it has committed. Throws what make throws.
  template <typename Make>
  auto change(const Make& make);
  void check_writable() const;
  void check_goes_on() const;                                          // throws kBusy after give_up()
  void check_limit(std::size_t limit, const char* remark = "") const;  // of a page

  FileSystem& fs;
  ServiceOptions options;
  std::uint32_t code_bits = 0;
  std::unique_ptr<LiveCollection> live;
  std::unique_ptr<Encoder> encoder;  // may be null
  std::unique_ptr<PictureMemory> memory;
  std::unique_ptr<PictureSource> pictures;
  std::unique_ptr<WriterLease> writer;
  std::unique_ptr<DuplicateFinder> duplicates;
  std::unique_ptr<SearchPasses> passes;  // as many at once as there are threads to use
  std::atomic<bool> stopped{false}, given_up{false};
};

// What is durable by then is no error any more, also where it cannot be read again: that is the collection's failure().
template <typename Make>
auto Service::State::change(const Make& make) {
  check_goes_on();
  auto result = writer->use(make);
  live->try_to_refresh();
  return result;
}

}  // namespace signet
