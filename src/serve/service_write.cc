#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "serve/labels.h"
#include "serve/service_state.h"
#include "signet/base/clock.h"
#include "signet/base/error.h"
#include "signet/base/sha256.h"

namespace signet {
namespace {

using Clock = std::chrono::steady_clock;

void check_label(const std::string& name) {
  constexpr std::size_t kMostBytes = 256;
  if (name.empty() || name.size() > kMostBytes || std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 32; }))
    fail(ErrorCode::kInvalidArgument, "a label is a text of 1 to ", kMostBytes, " bytes without control characters");
}

// The class of a name; a new one gets the next number.
std::int32_t label_of(CollectionWriter& writer, const std::string& name) {
  std::vector<std::string> names = writer.info().class_names;
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<std::int32_t>(at - names.begin());
  constexpr std::size_t kMost = 10'000;
  if (names.size() >= kMost) fail(ErrorCode::kInvalidArgument, "the collection has ", kMost, " labels, which are the most");
  names.push_back(name);
  writer.set_class_names(names);
  return static_cast<std::int32_t>(names.size()) - 1;
}

void check_key(const std::string& key) {
  if (key.empty() || key.size() > kMaxKeyBytes || key.find_first_of(std::string("\n\r\0", 3)) != std::string::npos) {
    fail(ErrorCode::kInvalidArgument, "a key is a text of 1 to ", kMaxKeyBytes, " bytes without line breaks and NUL");
  }
}

void describe(std::span<const std::byte> picture, ImageRecord& record) {
  const ImageHeader header = read_image_header(picture, "the picture");
  record.width = header.width;
  record.height = header.height;
  record.bytes = picture.size();
  record.sha256 = sha256_hex(picture);
  record.modified_ns = unix_ns();
}

}  // namespace

WriterLease::WriterLease(FileSystem& fs, std::string path, double keep_seconds)
    : fs_(fs), path_(std::move(path)), keep_seconds_(keep_seconds), watcher_([this] { watch(); }) {}

WriterLease::~WriterLease() { stop(); }

void WriterLease::open() {
  if (stopped_) fail(ErrorCode::kBusy, "the service is being stopped; nothing is changed any more");
  if (writer_ == nullptr) writer_ = CollectionWriter::open(fs_, path_);
}

void WriterLease::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    writer_.reset();
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void WriterLease::watch() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (writer_ == nullptr) {
      wake_.wait(lock);
      continue;
    }
    const auto end = used_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(keep_seconds_));
    if (Clock::now() >= end) {
      writer_.reset();
    } else {
      wake_.wait_until(lock, end);
    }
  }
}

PutResult Service::put(const std::string& key, std::span<const std::byte> picture, const std::optional<std::string>& label) {
  state_->check_writable();
  check_key(key);
  if (label) check_label(*label);
  const CodeMatrix code = pack_signs(state_->outputs(state_->decode(picture)), state_->encoder->info().bits);
  ImageRecord record;
  record.key = key;
  describe(picture, record);
  PutResult result = state_->writer->use([&](CollectionWriter& writer) {
    const auto known = writer.find(key);
    if (known) record.user_json = known->user_json;
    if (label) {
      record.labels = {label_of(writer, *label)};
    } else if (known) {
      record.labels = known->labels;
    }
    const AddResult added =
        writer.add({&code, std::span(&record, 1), state_->encoder->info().fingerprint}, {OnExisting::kReplace, false});
    return PutResult{added.ids.front(), !known};
  });
  state_->live->refresh();
  return result;
}

void Service::remove(const std::string& key) {
  state_->check_writable();
  const bool removed =
      state_->writer->use([&](CollectionWriter& writer) { return writer.remove_keys(std::span(&key, 1)).removed > 0; });
  if (!removed) fail(ErrorCode::kNotFound, "there is no image with this key");
  state_->live->refresh();
}

namespace {

// What of a bulk request can be added: codes and records by the position in the request.
struct Ready {
  CodeMatrix codes;
  std::vector<ImageRecord> records;
  std::vector<std::size_t> items;
};

}  // namespace

std::vector<BulkOutcome> Service::add(std::vector<BulkItem> items) {
  state_->check_writable();
  const auto now = state_->live->state();
  std::vector<BulkOutcome> outcomes(items.size());
  Ready ready{CodeMatrix(0, now->info().bits), {}, {}};
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    try {
      check_key(items[i].key);
      if (items[i].label) check_label(*items[i].label);
      if (!seen.emplace(items[i].key, i).second)
        fail(ErrorCode::kInvalidArgument, "this key stands on an earlier line of the request too");
      ImageRecord record;
      record.key = items[i].key;
      CodeMatrix code(now->info().bits, std::vector<std::uint8_t>());
      if (items[i].code.empty()) {
        const auto bytes = as_bytes(items[i].picture);
        code = pack_signs(state_->outputs(state_->decode(bytes)), now->info().bits);
        describe(bytes, record);
      } else {
        code = CodeMatrix(now->info().bits, std::move(items[i].code));
        if (code.size() != 1) fail(ErrorCode::kInvalidArgument, "code is not one code of ", now->info().bits, " bits");
      }
      ready.codes.append(code.row(0));
      ready.records.push_back(std::move(record));
      ready.items.push_back(i);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInternal) throw;
      outcomes[i].error = error.what();
    }
  }
  if (ready.items.empty()) return outcomes;
  const AddResult added = state_->writer->use([&](CollectionWriter& writer) {
    for (std::size_t i = 0; i < ready.items.size(); ++i) {
      const auto& label = items[ready.items[i]].label;
      if (label) {
        ready.records[i].labels = {label_of(writer, *label)};
      } else if (const auto known = writer.find(ready.records[i].key)) {
        ready.records[i].labels = known->labels;
      }
    }
    // A code that comes without its picture is of the collection's own model: that is what its sender promises (docs/serve.md).
    return writer.add({&ready.codes, ready.records, writer.info().model}, {OnExisting::kReplace, false});
  });
  for (std::size_t i = 0; i < ready.items.size(); ++i) outcomes[ready.items[i]].id = added.ids[i];
  state_->live->refresh();
  return outcomes;
}

}  // namespace signet
