#include "signet/index/index_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "index/planned_index.h"
#include "index/rows.h"
#include "signet/base/container.h"
#include "signet/base/error.h"

namespace signet {
namespace {

static_assert(std::endian::native == std::endian::little,
              "index files are mapped in place; big-endian machines need a copying reader");

constexpr char kKind[] = "SIDX";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kEagerBytes = std::uint64_t{256}
                                      << 20;      // larger sections are checked by verify(), so that opening stays quick
constexpr std::size_t kStoreTablesFrom = 50'000;  // codes; a scan of fewer takes tens of microseconds a word
constexpr std::size_t kMetaBytes = 32;
constexpr std::size_t kMaxClasses = 1 << 20;

struct Meta {
  std::uint64_t count = 0;
  std::uint32_t bits = 0, classes = 0;
  std::uint64_t zero[2] = {};
};
static_assert(sizeof(Meta) == kMetaBytes);

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

void check_set(const CodeSet& set, const std::string& path) {
  const std::size_t count = set.codes.size();
  if (set.codes.bits() == 0)
    fail(ErrorCode::kInvalidArgument, path, ": codes of 0 bits cannot be indexed; the length must be 1 to ", kMaxBits);
  if (set.keys.size() != count)
    fail(ErrorCode::kMismatch, path, ": ", set.keys.size(), " keys for ", count, " codes; there must be one a code");
  if (!set.labels.empty() && set.labels.size() != count) {
    fail(ErrorCode::kMismatch, path, ": labels of ", set.labels.size(), " images for ", count,
         " codes; there must be one list a code, or none");
  }
  if (!set.model.empty() && set.model.size() != 64) {
    fail(ErrorCode::kInvalidArgument, path, ": model fingerprint \"", set.model, "\" must have 64 hex digits");
  }
  if (set.class_names.size() > kMaxClasses)
    fail(ErrorCode::kInvalidArgument, path, ": ", set.class_names.size(), " class names are too many");
}

// Boundaries 0, size(0), size(0) + size(1), ...
template <typename Lists>
std::vector<std::uint64_t> boundaries(const Lists& lists) {
  std::vector<std::uint64_t> offsets{0};
  offsets.reserve(lists.size() + 1);
  for (const auto& list : lists) offsets.push_back(offsets.back() + list.size());
  return offsets;
}

void append_array(ContainerWriter& writer, const std::vector<std::uint64_t>& values) {
  writer.append(std::as_bytes(std::span(values)));
}

void write_names(ContainerWriter& writer, const CodeSet& set) {
  writer.begin_section("model");
  writer.append(as_bytes(set.model));
  writer.begin_section("root");
  writer.append(as_bytes(set.root));
  writer.begin_section("classes");
  for (const std::string& name : set.class_names) {
    writer.append(bytes_of(static_cast<std::uint32_t>(name.size())));
    writer.append(as_bytes(name));
  }
}

std::vector<std::string> read_class_names(const Container& file, std::uint32_t count) {
  std::span<const std::byte> rest = file.section("classes");
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t size = 0;
    if (rest.size() >= sizeof size) std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() < sizeof size || rest.size() - sizeof size < size) {
      fail(ErrorCode::kCorrupt, file.path(), ": section classes ends inside class name ", i, " of ", count);
    }
    names.emplace_back(reinterpret_cast<const char*>(rest.data()) + sizeof size, size);
    rest = rest.subspan(sizeof size + size);
  }
  if (!rest.empty())
    fail(ErrorCode::kCorrupt, file.path(), ": section classes has ", rest.size(), " bytes after its ", count, " names");
  return names;
}

// An array of fixed-size entries, with its expected number of them.
template <typename T>
std::span<const T> array_section(const Container& file, const std::string& name, std::uint64_t entries) {
  const std::span<const std::byte> bytes = file.section(name);
  if (bytes.size() % sizeof(T) != 0 || bytes.size() / sizeof(T) != entries) {
    fail(ErrorCode::kCorrupt, file.path(), ": section ", name, " has ", bytes.size(), " bytes, ", entries, " entries of ",
         sizeof(T), " bytes were expected");
  }
  return {reinterpret_cast<const T*>(bytes.data()), static_cast<std::size_t>(entries)};
}

class MappedIndexFile final : public IndexFile {
 public:
  MappedIndexFile(std::shared_ptr<const Container> file, const BuildOptions& options) : file_(std::move(file)) {
    read_meta();
    const std::span<const std::byte> codes = file_->section("codes");
    codes_ = {reinterpret_cast<const std::uint8_t*>(codes.data()), codes.size()};
    if (codes_.size() % stride() != 0 || codes_.size() / stride() != meta_.count) {
      fail(ErrorCode::kCorrupt, path(), ": section codes has ", codes_.size(), " bytes, ", meta_.count, " codes of ", stride(),
           " bytes were expected");
    }
    if (codes_.size() < kEagerBytes) check_padding();
    key_offsets_ = array_section<std::uint64_t>(*file_, "key-offsets", meta_.count + 1);
    keys_ = file_->section("keys");
    if (file_->has("label-offsets")) {
      label_offsets_ = array_section<std::uint64_t>(*file_, "label-offsets", meta_.count + 1);
      labels_ = array_section<std::int32_t>(*file_, "labels", file_->section("labels").size() / sizeof(std::int32_t));
    }
    CodeSource source;
    source.packed = codes_;
    source.count = static_cast<std::size_t>(meta_.count);
    source.bits = meta_.bits;
    source.owner = file_;
    index_ = make_index(source, options);
  }

  const Index& index() const noexcept override { return *index_; }

  std::string key(std::uint64_t id) const override {
    const auto [begin, end] = range(id, key_offsets_, keys_.size(), "key-offsets");
    return {reinterpret_cast<const char*>(keys_.data()) + begin, static_cast<std::size_t>(end - begin)};
  }

  std::vector<std::int32_t> labels(std::uint64_t id) const override {
    check_id(id);
    if (label_offsets_.empty()) return {};
    const auto [begin, end] = range(id, label_offsets_, labels_.size(), "label-offsets");
    return {labels_.begin() + static_cast<std::ptrdiff_t>(begin), labels_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  std::vector<std::uint8_t> code(std::uint64_t id) const override {
    check_id(id);
    const auto row = codes_.subspan(static_cast<std::size_t>(id) * stride(), stride());
    return {row.begin(), row.end()};
  }

  std::optional<std::uint64_t> find(const std::string& key) const override {
    for (std::uint64_t id = 0; id < meta_.count; ++id) {
      const auto [begin, end] = range(id, key_offsets_, keys_.size(), "key-offsets");
      if (end - begin == key.size() && std::memcmp(keys_.data() + begin, key.data(), key.size()) == 0) return id;
    }
    return std::nullopt;
  }

  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  const std::string& model() const noexcept override { return model_; }
  const std::string& root() const noexcept override { return root_; }

  void check_model(const std::string& fingerprint, const std::string& what) const override {
    if (model_.empty() || fingerprint == model_) return;
    fail(ErrorCode::kMismatch, what, " belongs to the model ", fingerprint.empty() ? "(unknown)" : fingerprint,
         ", but the codes of ", path(), " were made by the model ", model_,
         "; distances between codes of two models mean nothing");
  }

  void verify() const override {
    file_->verify();
    check_padding();
    for (std::uint64_t id = 0; id < meta_.count; ++id) {
      range(id, key_offsets_, keys_.size(), "key-offsets");
      if (!label_offsets_.empty()) range(id, label_offsets_, labels_.size(), "label-offsets");
    }
  }

 private:
  const std::string& path() const noexcept { return file_->path(); }
  std::size_t stride() const noexcept { return bytes_per_code(meta_.bits); }

  void read_meta() {
    const std::span<const std::byte> bytes = file_->section("meta");
    if (bytes.size() != kMetaBytes)
      fail(ErrorCode::kCorrupt, path(), ": section meta has ", bytes.size(), " bytes, it must have ", kMetaBytes);
    std::memcpy(&meta_, bytes.data(), kMetaBytes);
    if (meta_.bits < 1 || meta_.bits > kMaxBits)
      fail(ErrorCode::kCorrupt, path(), ": codes of ", meta_.bits, " bits; 1 to ", kMaxBits, " are possible");
    // A file cannot hold more codes than it has bytes; with this, n + 1 and products with small sizes do not wrap.
    if (meta_.count > file_->section("codes").size())
      fail(ErrorCode::kCorrupt, path(), ": section meta claims ", meta_.count, " codes, more than the file holds");
    model_ = text("model");
    root_ = text("root");
    if (!model_.empty() && model_.size() != 64)
      fail(ErrorCode::kCorrupt, path(), ": section model has ", model_.size(), " bytes, it must have 0 or 64");
    class_names_ = read_class_names(*file_, meta_.classes);
  }

  // What the file holds is used as it is. Where it holds nothing, it is scanned unless a kind is named: building and measuring
  // would take longer than many searches.
  std::unique_ptr<Index> make_index(const CodeSource& source, const BuildOptions& options) const {
    if (options.kind != "auto") return build_index(source, options);
    if (auto stored = PlannedIndex::load(std::make_shared<const Rows>(source), *file_)) return stored;
    BuildOptions chosen = options;
    chosen.kind = "flat";
    return build_index(source, chosen);
  }

  std::string text(const std::string& section) const { return std::string(as_text(file_->section(section))); }

  void check_padding() const {
    const std::uint8_t padding = padding_mask(meta_.bits);
    if (padding == 0) return;
    for (std::size_t last = stride() - 1; last < codes_.size(); last += stride()) {
      if ((codes_[last] & padding) == 0) continue;
      fail(ErrorCode::kCorrupt, path(), ": code ", last / stride(), " has bits set beyond its ", meta_.bits, " bits");
    }
  }

  void check_id(std::uint64_t id) const {
    if (id >= meta_.count) fail(ErrorCode::kNotFound, path(), ": no image ", id, "; there are ", meta_.count);
  }

  std::pair<std::uint64_t, std::uint64_t> range(std::uint64_t id, std::span<const std::uint64_t> offsets, std::uint64_t size,
                                                const char* section) const {
    check_id(id);
    const std::uint64_t begin = offsets[id], end = offsets[id + 1];
    if (begin > end || end > size)
      fail(ErrorCode::kCorrupt, path(), ": section ", section, ", entry ", id, " runs from ", begin, " to ", end, " of ", size);
    return {begin, end};
  }

  std::shared_ptr<const Container> file_;
  Meta meta_;
  std::string model_, root_;
  std::vector<std::string> class_names_;
  std::span<const std::uint8_t> codes_;
  std::span<const std::uint64_t> key_offsets_, label_offsets_;
  std::span<const std::byte> keys_;
  std::span<const std::int32_t> labels_;
  std::unique_ptr<Index> index_;
};

}  // namespace

void write_index_file(FileSystem& fs, const std::string& path, const CodeSet& set) {
  check_set(set, path);
  ContainerWriter writer(fs, path, kKind, kVersion);
  Meta meta;
  meta.count = set.codes.size();
  meta.bits = set.codes.bits();
  meta.classes = static_cast<std::uint32_t>(set.class_names.size());
  writer.begin_section("meta");
  writer.append(bytes_of(meta));
  write_names(writer, set);
  writer.begin_section("codes");
  writer.append(std::as_bytes(set.codes.data()));
  writer.begin_section("key-offsets");
  append_array(writer, boundaries(set.keys));
  writer.begin_section("keys");
  for (const std::string& key : set.keys) writer.append(as_bytes(key));
  if (!set.labels.empty()) {
    writer.begin_section("label-offsets");
    append_array(writer, boundaries(set.labels));
    writer.begin_section("labels");
    for (const auto& labels : set.labels) writer.append(std::as_bytes(std::span(labels)));
  }
  if (set.codes.size() >= kStoreTablesFrom) {
    CodeSource source;
    source.packed = set.codes.data();
    source.count = set.codes.size();
    source.bits = set.codes.bits();
    BuildOptions options;
    options.threads = 0;
    PlannedIndex(std::make_shared<const Rows>(source), options).store(writer);
  }
  writer.finish();
}

std::shared_ptr<const IndexFile> IndexFile::open(FileSystem& fs, const std::string& path, const BuildOptions& options) {
  return std::make_shared<const MappedIndexFile>(Container::open(fs, path, kKind, kVersion, kEagerBytes), options);
}

}  // namespace signet
