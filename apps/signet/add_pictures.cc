#include "apps/signet/add_pictures.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <unordered_set>

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

// Labels of the data in the collection's numbers. Classes that the collection does not know are appended to its own; they are
// written with the first images, so that a run that is stopped before has changed nothing.
struct Labels {
  std::vector<std::int32_t> map;  // of every label of the data; empty: none are wanted
  std::vector<std::string> added;
};

Labels labels_for(const CollectionWriter& writer, const std::vector<std::string>& names) {
  Labels labels;
  std::unordered_map<std::string, std::size_t> numbers;  // of two classes of one name the first
  std::size_t count = 0;
  for (const std::string& name : writer.info().class_names) numbers.try_emplace(name, count++);
  for (const std::string& name : names) {
    const auto [at, fresh] = numbers.try_emplace(name, count);
    labels.map.push_back(static_cast<std::int32_t>(at->second));
    if (!fresh) continue;
    labels.added.push_back(name);
    ++count;
  }
  return labels;
}

// What is to be encoded, and the records that it will get.
struct Plan {
  std::vector<std::size_t> todo;  // positions in the data set
  std::vector<ImageRecord> records;
  std::vector<char> relabelled;      // of those records, whether their labels are others than before
  std::vector<ImageRecord> touched;  // of pictures that are the same as before
  AddSummary summary;
};

// Writes the labels that the data gives a picture into its record, in the collection's order, and returns whether they are others
// than before. Where the data gives none, those that are known stay: a folder may give none only because of a picture beside its
// class folders. With `replace` only: labels of an image that has some, which may have been given to it one by one, or by the
// names of other folders.
bool take_labels(const Dataset& data, std::size_t i, const std::vector<std::int32_t>& label_map, bool replace,
                 ImageRecord& record) {
  if (label_map.empty() || data.labels(i).empty() || (!replace && !record.labels.empty())) return false;
  std::vector<std::int32_t> labels;
  for (const std::int32_t label : data.labels(i)) labels.push_back(label_map.at(static_cast<std::size_t>(label)));
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  const bool others = labels != record.labels;
  record.labels = std::move(labels);
  return others;
}

// A picture that needs no encoding: at most its file's time and its labels are new.
void plan_same(const PictureSource& source, std::size_t i, bool touched, bool relabelled, ImageRecord record, Plan& plan) {
  ++plan.summary.unchanged;
  plan.summary.relabelled += relabelled ? 1 : 0;
  if (touched) record.modified_ns = source.own_file(i)->modified_ns;
  if (touched || relabelled) plan.touched.push_back(std::move(record));
}

Plan make_plan(const CollectionWriter& writer, const PictureSource& source, const std::vector<std::int32_t>& label_map,
               const AddArguments& arguments, const ProgressFn& progress) {
  Plan plan;
  for (const std::string& reason : source.data().left_out()) plan.summary.skipped.emplace_back(source.root(), reason);
  std::unordered_set<std::string> seen;  // a manifest may name a picture in two ways (a.png, ./a.png)
  const std::size_t count = source.data().size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 256 == 0 && !progress({"compare", i, count, ""}))
      fail(ErrorCode::kCancelled, "stopped on request; nothing was changed");
    const std::string key = source.key(i);
    const char* defect = key_defect(key);
    if (defect == nullptr && !source.lists_folder() && !seen.insert(key).second) defect = "it is named twice";
    if (defect != nullptr) {
      plan.summary.skipped.emplace_back(key, defect);
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
    record.key = key;
    const bool same = state == State::kUnchanged || state == State::kTouched;
    const bool relabelled = take_labels(source.data(), i, label_map, !same || arguments.relabel, record);
    if (same) {
      plan_same(source, i, state == State::kTouched, relabelled, std::move(record), plan);
      continue;
    }
    plan.todo.push_back(i);
    plan.relabelled.push_back(known && relabelled ? 1 : 0);
    plan.records.push_back(std::move(record));
  }
  return plan;
}

// Collects codes and commits them batch by batch.
class Batch {
 public:
  // new_classes: to be written with the first images.
  Batch(CollectionWriter& writer, const ModelInfo& model, std::vector<std::string> new_classes, AddSummary& summary)
      : writer_(writer), model_(model), summary_(summary), codes_(0, model.bits), new_classes_(std::move(new_classes)) {}
  // same: the picture is what the collection knows already, and only its archive is another file.
  void append(std::span<const std::uint8_t> code, ImageRecord record, bool same, bool relabelled) {
    same_ += same ? 1 : 0;
    relabelled_ += same && relabelled ? 1 : 0;
    codes_.append(code);
    records_.push_back(std::move(record));
  }
  std::size_t size() const { return records_.size(); }
  void commit() {
    if (records_.empty()) return;
    AddOptions options;
    options.on_existing = OnExisting::kReplace;
    const AddResult result = writer_.add({&codes_, records_, model_.fingerprint, new_classes_}, options);
    new_classes_.clear();
    summary_.added += result.added;
    const std::size_t same = std::min(same_, result.updated);
    summary_.changed += result.replaced + result.updated - same;
    summary_.unchanged += result.skipped + same;
    summary_.relabelled += relabelled_;
    same_ = relabelled_ = 0;
    codes_ = CodeMatrix(0, model_.bits);
    records_.clear();
  }

 private:
  CollectionWriter& writer_;
  const ModelInfo& model_;
  AddSummary& summary_;
  CodeMatrix codes_;
  std::vector<ImageRecord> records_;
  std::vector<std::string> new_classes_;
  std::size_t same_ = 0, relabelled_ = 0;
};

// Whether a picture that was below `root` is not there any more. Not where it only cannot be reached: a folder on the way may not
// be entered, is a link to a disk that is not there, or has become a file that may hold it.
bool is_gone(const std::string& path, const std::string& root) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 || errno != ENOENT) return false;
  std::string folder = parent_path(path);
  for (; ::lstat(folder.c_str(), &status) != 0; folder = parent_path(folder))
    if (folder.size() <= root.size()) return false;
  return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Records of images whose codes stay, with the names of their classes before them.
void update(CollectionWriter& writer, const std::vector<ImageRecord>& records, Labels& labels) {
  if (!labels.added.empty()) {
    std::vector<std::string> all = writer.info().class_names;
    all.insert(all.end(), labels.added.begin(), labels.added.end());
    writer.set_class_names(all);
    labels.added.clear();
  }
  writer.update(records);
}

// Images of pictures that the folder has held and does not hold any more: removed with `prune`, otherwise counted.
void look_for_gone(CollectionWriter& writer, const PictureSource& source, bool prune, AddSummary& summary) {
  const std::string& root = source.root();
  std::vector<std::string> keys = writer.keys_with_prefix(root.ends_with('/') ? root : root + "/");
  if (keys.size() <= summary.added + summary.changed + summary.unchanged) return;  // they are those that were just compared
  // Images of idx and CIFAR files have names without an ending, and no file of that name anywhere.
  std::erase_if(keys, [&](const std::string& key) { return !std::filesystem::path(key).has_extension() || !is_gone(key, root); });
  if (prune && !keys.empty())
    summary.removed = writer.remove_keys(keys).removed;
  else
    summary.gone = keys.size();
}

}  // namespace

AddSummary add_pictures(CollectionWriter& writer, const Encoder& encoder, const AddArguments& arguments) {
  const DecodeLimits limits = limits_for(encoder.info().preprocessing, arguments.data);
  DatasetOptions options = arguments.data.dataset_options();
  options.limits = limits;
  const PictureSource source(open_dataset(arguments.data.path, options), arguments.data.path, options.format);
  if (!arguments.quiet) note("add", concat("reading ", source.data().describe()));
  Meter meter("add", arguments.quiet);
  const ProgressFn progress = meter.callback();
  Labels labels;
  if (!arguments.no_labels) labels = labels_for(writer, source.data().class_names());
  Plan plan = make_plan(writer, source, labels.map, arguments, progress);
  if (!plan.touched.empty()) update(writer, plan.touched, labels);

  Batch batch(writer, encoder.info(), std::move(labels.added), plan.summary);
  std::vector<char> same(plan.todo.size(), 0);  // no bools: several threads write them
  const auto load = [&](std::size_t i) {
    ImageRecord& record = plan.records[i];
    const std::string before = record.sha256;
    Image image = source.load(plan.todo[i], limits, record);
    same[i] = !before.empty() && before == record.sha256 ? 1 : 0;
    return image;
  };
  const auto sink = [&](std::span<const std::size_t> indices, const Outputs& outputs) {
    const CodeMatrix codes = pack_signs(outputs.hash, encoder.info().bits);
    for (std::size_t i = 0; i < indices.size(); ++i)
      batch.append(codes.row(i), std::move(plan.records[indices[i]]), same[indices[i]] != 0, plan.relabelled[indices[i]] != 0);
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
    if (source.lists_folder()) look_for_gone(writer, source, arguments.prune, plan.summary);
  } catch (const Error& error) {
    meter.clear();
    const std::uint64_t before = plan.summary.added + plan.summary.changed;
    if (error.code() != ErrorCode::kCancelled && before == 0) throw;
    if (error.code() != ErrorCode::kCancelled)
      fail(error.code(), error.what(), "; ", counted(before, "image"), before == 1 ? " that was" : " that were", " added before ",
           before == 1 ? "is" : "are", " kept, and the same command goes on from there");
    batch.commit();
    fail(ErrorCode::kCancelled, "stopped on request after ", plan.summary.added + plan.summary.changed,
         " images, which are kept; the same command goes on from there");
  }
  return std::move(plan.summary);
}

}  // namespace signet::cli
