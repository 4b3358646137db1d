#include "apps/signet/add_pictures.h"

#include <algorithm>
#include <optional>

#include "apps/signet/picture_source.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/sha256.h"

namespace signet::cli {
namespace {

enum class State { kNew, kChanged, kUnchanged, kTouched };  // kTouched: same content, another time

State state_of(const PictureSource& source, std::size_t i, const std::optional<ImageRecord>& known,
               const AddArguments& arguments) {
  if (!known) return State::kNew;
  const auto file = source.own_file(i);
  if (file) {
    if (file->bytes != known->bytes) return State::kChanged;
    if (file->modified_ns == known->modified_ns && !arguments.rehash) return State::kUnchanged;
    const auto bytes = read_file(real_file_system(), source.key(i), DecodeLimits{}.max_bytes);
    if (sha256_hex(bytes) != known->sha256) return State::kChanged;
    return file->modified_ns == known->modified_ns ? State::kUnchanged : State::kTouched;
  }
  if (source.container_time() != 0 && source.container_time() == known->modified_ns && !arguments.rehash)
    return State::kUnchanged;
  return State::kChanged;  // decoded again; the store leaves the record alone where the code turns out the same
}

// Class names are appended to the collection's; returns the collection's label of every label of the data.
std::vector<std::int32_t> merge_class_names(CollectionWriter& writer, const std::vector<std::string>& names) {
  std::vector<std::string> known = writer.info().class_names;
  const std::size_t before = known.size();
  std::vector<std::int32_t> map;
  for (const std::string& name : names) {
    const auto at = std::find(known.begin(), known.end(), name);
    map.push_back(static_cast<std::int32_t>(at - known.begin()));
    if (at == known.end()) known.push_back(name);
  }
  if (known.size() > before) writer.set_class_names(known);
  return map;
}

// What is to be encoded, and the records that it will get.
struct Plan {
  std::vector<std::size_t> todo;  // positions in the data set
  std::vector<ImageRecord> records;
  std::vector<ImageRecord> touched;
  AddSummary summary;
};

Plan make_plan(const CollectionWriter& writer, const PictureSource& source, const std::vector<std::int32_t>& label_map,
               const AddArguments& arguments, const ProgressFn& progress) {
  Plan plan;
  const std::size_t count = source.data().size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 256 == 0 && !progress({"compare", i, count, ""}))
      fail(ErrorCode::kCancelled, "stopped on request; nothing was changed");
    const std::string key = source.key(i);
    if (key.find_first_of("\n\r") != std::string::npos || key.size() > kMaxKeyBytes) {
      plan.summary.skipped.emplace_back(key, "its name has a line break or is too long for a key");
      continue;
    }
    const auto known = writer.find(key);
    ImageRecord record = known.value_or(ImageRecord{});
    State state = State::kChanged;
    try {
      state = state_of(source, i, known, arguments);
    } catch (const Error& error) {
      plan.summary.skipped.emplace_back(key, error.what());
      continue;
    }
    if (state == State::kUnchanged) {
      ++plan.summary.unchanged;
      continue;
    }
    record.key = key;
    if (state == State::kTouched) {
      record.modified_ns = source.own_file(i)->modified_ns;
      plan.touched.push_back(std::move(record));
      ++plan.summary.unchanged;
      continue;
    }
    record.labels.clear();
    if (!label_map.empty()) {
      for (const std::int32_t label : source.data().labels(i))
        record.labels.push_back(label_map.at(static_cast<std::size_t>(label)));
    }
    plan.todo.push_back(i);
    plan.records.push_back(std::move(record));
  }
  return plan;
}

// Collects codes and commits them batch by batch.
class Batch {
 public:
  Batch(CollectionWriter& writer, const ModelInfo& model, AddSummary& summary)
      : writer_(writer), model_(model), summary_(summary), codes_(0, model.bits) {}
  void append(std::span<const std::uint8_t> code, ImageRecord record) {
    codes_.append(code);
    records_.push_back(std::move(record));
  }
  std::size_t size() const { return records_.size(); }
  void commit() {
    if (records_.empty()) return;
    AddOptions options;
    options.on_existing = OnExisting::kReplace;
    const AddResult result = writer_.add({&codes_, records_, model_.fingerprint}, options);
    summary_.added += result.added;
    summary_.changed += result.replaced + result.updated;
    summary_.unchanged += result.skipped;
    codes_ = CodeMatrix(0, model_.bits);
    records_.clear();
  }

 private:
  CollectionWriter& writer_;
  const ModelInfo& model_;
  AddSummary& summary_;
  CodeMatrix codes_;
  std::vector<ImageRecord> records_;
};

}  // namespace

AddSummary add_pictures(CollectionWriter& writer, const Encoder& encoder, const AddArguments& arguments) {
  const DecodeLimits limits = limits_for(encoder.info().preprocessing, arguments.data);
  const PictureSource source(arguments.data.open(&limits), arguments.data.path);
  Meter meter("add", arguments.quiet);
  const ProgressFn progress = meter.callback();
  std::vector<std::int32_t> label_map;
  if (!arguments.no_labels) label_map = merge_class_names(writer, source.data().class_names());
  Plan plan = make_plan(writer, source, label_map, arguments, progress);
  if (!plan.touched.empty()) writer.update(plan.touched);

  Batch batch(writer, encoder.info(), plan.summary);
  const auto load = [&](std::size_t i) { return source.load(plan.todo[i], limits, plan.records[i]); };
  const auto sink = [&](std::span<const std::size_t> indices, const Outputs& outputs) {
    const CodeMatrix codes = pack_signs(outputs.hash, encoder.info().bits);
    for (std::size_t i = 0; i < indices.size(); ++i) batch.append(codes.row(i), std::move(plan.records[indices[i]]));
    if (batch.size() >= arguments.batch) batch.commit();
  };
  try {
    BulkOptions bulk_options;
    bulk_options.block = std::min<std::size_t>(bulk_options.block, arguments.batch);
    const BulkResult bulk = encode_all(encoder, plan.todo.size(), load, sink, bulk_options, progress);
    batch.commit();
    for (const auto& skipped : bulk.skipped)
      plan.summary.skipped.emplace_back(source.key(plan.todo[skipped.index]), skipped.reason);
    plan.summary.images_per_second = plan.todo.empty() ? 0 : bulk.images_per_second;
    plan.summary.bottleneck = bulk.bottleneck;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    batch.commit();
    meter.clear();
    fail(ErrorCode::kCancelled, "stopped on request after ", plan.summary.added + plan.summary.changed,
         " images, which are kept; the same command goes on from there");
  }
  return std::move(plan.summary);
}

}  // namespace signet::cli
