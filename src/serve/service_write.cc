#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "serve/labels.h"
#include "serve/service_state.h"
#include "serve/threads.h"
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

// The classes of a collection, and those that a change adds.
class Classes {
 public:
  explicit Classes(const CollectionView& view) : view_(view), names_(view.info().class_names), known_(names_.size()) {}
  std::span<const std::string> added() const noexcept { return std::span(names_).subspan(known_); }
  std::int32_t number_of(const std::string& name);  // a new name gets the next number

 private:
  const CollectionView& view_;  // until number_of was called last
  std::vector<std::string> names_;
  const std::size_t known_;       // so many of them are the collection's already
  std::optional<bool> numbered_;  // images have classes without names: the first name of all would become that of class 0
};

std::int32_t Classes::number_of(const std::string& name) {
  if (!numbered_) numbered_ = names_.empty() && view_.has_labels();
  if (*numbered_) {
    const auto number = label_number(name);
    if (!number)
      fail(ErrorCode::kInvalidArgument, "the labels of this collection are numbers without names; give a number, not \"", name,
           "\"");
    return *number;
  }
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at != names_.end()) return static_cast<std::int32_t>(at - names_.begin());
  constexpr std::size_t kMost = 10'000;
  if (names_.size() >= kMost) fail(ErrorCode::kInvalidArgument, "the collection has ", kMost, " labels, which are the most");
  names_.push_back(name);
  return static_cast<std::int32_t>(names_.size()) - 1;
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

// What is not said of an image anew stays as it is known.
void complete(ImageRecord& record, const std::optional<ImageRecord>& known, const std::optional<std::string>& label,
              Classes& classes) {
  if (known) record.user_json = known->user_json;
  if (label) {
    record.labels = {classes.number_of(*label)};
  } else if (known) {
    record.labels = known->labels;
  }
}

void check_takes_pictures(const CollectionInfo& info) {
  if (info.model.empty()) {
    fail(ErrorCode::kMismatch,
         "the collection is bound to no model, so it takes no pictures; send codes, or serve a collection that was made with "
         "signet collection create --model");
  }
}

}  // namespace

WriterLease::WriterLease(FileSystem& fs, std::string path, double keep_seconds)
    : fs_(fs), path_(std::move(path)), keep_seconds_(keep_seconds), watcher_(start_thread([this] { watch(); })) {}

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
  check_takes_pictures(info());
  const CodeMatrix code =
      pack_signs(state_->outputs(state_->decode(picture, state_->options.patient_memory_seconds)), state_->encoder->info().bits);
  ImageRecord record;
  record.key = key;
  describe(picture, record);
  return state_->change([&](CollectionWriter& writer) {
    auto newest = state_->newest();
    Classes classes(newest->view());
    const auto known = writer.find(key);
    complete(record, known, label, classes);
    newest.reset();  // a view of the state before would keep the catalog's log from being begun anew
    const AddResult added = writer.add({&code, std::span(&record, 1), state_->encoder->info().fingerprint, classes.added()},
                                       {OnExisting::kReplace, false});
    return PutResult{added.ids.front(), !known};
  });
}

void Service::remove(const std::string& key) {
  state_->check_writable();
  const bool removed =
      state_->change([&](CollectionWriter& writer) { return writer.remove_keys(std::span(&key, 1)).removed > 0; });
  if (!removed) fail(ErrorCode::kNotFound, "there is no image with this key");
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
  const CollectionInfo now = info();  // no view of it: encoding takes long, and the log grows while one is held
  std::vector<BulkOutcome> outcomes(items.size());
  Ready ready{CodeMatrix(0, now.bits), {}, {}};
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    state_->check_goes_on();
    try {
      check_key(items[i].key);
      if (items[i].label) check_label(*items[i].label);
      if (!seen.emplace(items[i].key, i).second)
        fail(ErrorCode::kInvalidArgument, "this key stands on an earlier line of the request too");
      ImageRecord record;
      record.key = items[i].key;
      CodeMatrix code(now.bits, std::vector<std::uint8_t>());
      if (items[i].code.empty()) {
        check_takes_pictures(now);
        const auto bytes = as_bytes(items[i].picture);
        code = pack_signs(state_->outputs(state_->decode(bytes, state_->options.patient_memory_seconds)), now.bits);
        describe(bytes, record);
      } else {
        code = CodeMatrix(now.bits, std::move(items[i].code));
        if (code.size() != 1) fail(ErrorCode::kInvalidArgument, "code is not one code of ", now.bits, " bits");
      }
      ready.codes.append(code.row(0));
      ready.records.push_back(std::move(record));
      ready.items.push_back(i);
    } catch (const Error& error) {
      // Not the line's fault: without memory for its picture nothing is added, and all of it may be sent again.
      if (error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kBusy) throw;
      outcomes[i].error = error.what();
    }
  }
  if (ready.items.empty()) return outcomes;
  const AddResult added = state_->change([&](CollectionWriter& writer) {
    auto newest = state_->newest();
    Classes classes(newest->view());
    // A code that comes without its picture is of the collection's own model: that is what its sender promises (docs/serve.md).
    std::string model = writer.info().model;
    Ready fit{CodeMatrix(0, now.bits), {}, {}};
    for (std::size_t i = 0; i < ready.items.size(); ++i) {
      const BulkItem& item = items[ready.items[i]];
      ImageRecord& record = ready.records[i];
      const auto known = writer.find(record.key);
      if (!item.picture.empty()) {
        model = state_->encoder->info().fingerprint;
      } else if (known && std::ranges::equal(newest->view().code(known->id), ready.codes.row(i))) {
        record = *known;  // still a code of the picture that was described
      }
      try {
        complete(record, known, item.label, classes);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kInvalidArgument) throw;
        outcomes[ready.items[i]].error = error.what();
        continue;
      }
      fit.codes.append(ready.codes.row(i));
      fit.records.push_back(std::move(record));
      fit.items.push_back(ready.items[i]);
    }
    ready = std::move(fit);
    if (ready.items.empty()) return AddResult();
    newest.reset();  // as above
    return writer.add({&ready.codes, ready.records, model, classes.added()}, {OnExisting::kReplace, false});
  });
  for (std::size_t i = 0; i < ready.items.size(); ++i) outcomes[ready.items[i]].id = added.ids[i];
  return outcomes;
}

}  // namespace signet
