#include "signet/base/container.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "base/container_layout.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using namespace container_layout;

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <typename T>
T load(std::span<const std::byte> file, std::uint64_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// Everything before the CRC that ends a head or a trailer.
template <typename T>
std::uint32_t own_crc(const T& value) {
  return crc32c(bytes_of(value).first(sizeof value - sizeof value.crc));
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string name_of(const Entry& entry) {
  const auto end = std::find(entry.name.begin(), entry.name.end(), '\0');
  if (std::any_of(end, entry.name.end(), [](char c) { return c != '\0'; })) return "";
  return {entry.name.begin(), end};
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

void check_kind(const std::string& kind) {
  if (kind.size() != kKindBytes) fail(ErrorCode::kInternal, "container kind '", kind, "' must have four characters");
}

}  // namespace

bool starts_as_container(std::span<const std::byte> head) noexcept {
  constexpr std::size_t kTelling = 4;
  const Head right;
  return head.size() >= kTelling && std::ranges::equal(head.first(kTelling), bytes_of(right.magic).first(kTelling));
}

struct ContainerWriter::State {
  FileSystem& fs;
  std::string path;
  std::string temp;
  std::unique_ptr<WritableFile> file;
  Head head;
  std::vector<Entry> table;
  std::uint64_t offset = 0;  // bytes written so far
  bool finished = false;

  State(FileSystem& file_system, std::string target)
      : fs(file_system), path(std::move(target)), temp(temp_path(path)), file(fs.create(temp)) {}

  void put(std::span<const std::byte> data) {
    file->append(data);
    offset += data.size();
  }

  void pad() {
    static constexpr std::array<std::byte, kAlignment> kZeros{};
    put(std::span(kZeros).first(static_cast<std::size_t>(round_up(offset) - offset)));
  }

  void give_up() noexcept {
    try {
      file->close();
      fs.remove(temp);
    } catch (const std::exception&) {  // nothing more can be done; the name says that it is a temporary file
    }
  }
};

ContainerWriter::ContainerWriter(FileSystem& fs, std::string path, std::string kind, std::uint32_t version) {
  check_kind(kind);
  state_ = std::make_unique<State>(fs, std::move(path));
  Head& head = state_->head;
  std::copy(kind.begin(), kind.end(), head.kind.begin());
  head.kind_version = version;
  head.crc = own_crc(head);
  try {
    state_->put(bytes_of(head));
  } catch (...) {
    state_->give_up();
    throw;
  }
}

ContainerWriter::~ContainerWriter() {
  if (!state_->finished) state_->give_up();
}

void ContainerWriter::begin_section(const std::string& name) {
  State& s = *state_;
  if (!valid_name(name)) fail(ErrorCode::kInternal, s.path, ": '", name, "' is not 1 to 16 characters of [a-z0-9-]");
  if (s.table.size() == kMaxSections) fail(ErrorCode::kInternal, s.path, ": more than ", kMaxSections, " sections");
  for (const Entry& entry : s.table) {
    if (name_of(entry) == name) fail(ErrorCode::kInternal, s.path, ": section '", name, "' begun twice");
  }
  s.pad();
  Entry entry;
  std::copy(name.begin(), name.end(), entry.name.begin());
  entry.offset = s.offset;
  s.table.push_back(entry);
}

void ContainerWriter::append(std::span<const std::byte> data) {
  State& s = *state_;
  if (s.table.empty()) fail(ErrorCode::kInternal, s.path, ": append() before begin_section()");
  Entry& entry = s.table.back();
  entry.crc = crc32c(data, entry.crc);
  entry.length += data.size();
  s.put(data);
}

void ContainerWriter::finish() {
  State& s = *state_;
  if (s.finished) fail(ErrorCode::kInternal, s.path, ": finish() called twice");
  s.pad();
  const std::span<const std::byte> table = std::as_bytes(std::span(s.table));
  Trailer trailer;
  trailer.table_offset = s.offset;
  trailer.table_length = table.size();
  trailer.section_count = static_cast<std::uint32_t>(s.table.size());
  trailer.table_crc = crc32c(table);
  s.put(table);
  s.pad();
  trailer.file_length = s.offset + sizeof trailer;
  trailer.head_crc = s.head.crc;
  trailer.crc = own_crc(trailer);
  s.put(bytes_of(trailer));
  s.file->sync();
  s.file->close();
  s.fs.rename(s.temp, s.path);
  s.finished = true;  // the target is in place: whatever the last line throws, there is no temporary file to remove
  s.fs.sync_directory(parent_path(s.path));
}

struct Container::State {
  std::string path;
  std::unique_ptr<MappedFile> file;
  Head head;
  std::vector<Entry> table;

  std::span<const std::byte> bytes() const { return file->data(); }

  template <typename... Parts>
  [[noreturn]] void corrupt(const Parts&... parts) const {
    fail(ErrorCode::kCorrupt, path, ": ", parts...);
  }

  void read_head(const std::string& kind, std::uint32_t max_version) {
    if (bytes().size() < sizeof(Head) + sizeof(Trailer)) {
      corrupt(bytes().size(), " bytes are fewer than the ", sizeof(Head) + sizeof(Trailer), " of an empty signet container");
    }
    head = load<Head>(bytes(), 0);
    if (head.magic != Head{}.magic) corrupt("not a signet container (wrong magic at offset 0)");
    if (head.crc != own_crc(head)) corrupt("damaged head (checksum of bytes 0 to 59 differs)");
    if (head.byte_order != kByteOrder) fail(ErrorCode::kUnsupported, path, ": unknown byte order");
    if (head.container_version != kContainerVersion) {
      fail(ErrorCode::kUnsupported, path, ": container version ", head.container_version, "; this build reads version ",
           kContainerVersion);
    }
    const std::string found(head.kind.begin(), head.kind.end());
    if (found != kind) fail(ErrorCode::kMismatch, path, ": kind ", found, " where ", kind, " is needed");
    if (head.kind_version == 0 || head.kind_version > max_version) {
      fail(ErrorCode::kUnsupported, path, ": version ", head.kind_version, " of ", kind, "; this build reads versions 1 to ",
           max_version);
    }
    if (!is_zero(std::as_bytes(std::span(head.reserved)))) corrupt("bytes 24 to 59 are not zero");
  }

  void read_table() {
    const std::uint64_t trailer_offset = bytes().size() - sizeof(Trailer);
    const auto trailer = load<Trailer>(bytes(), trailer_offset);
    if (trailer.end_mark != Trailer{}.end_mark || trailer.crc != own_crc(trailer)) {
      corrupt("truncated or damaged (no valid trailer at offset ", trailer_offset, ")");
    }
    if (trailer.file_length != bytes().size() || trailer.head_crc != head.crc ||
        !is_zero(std::as_bytes(std::span(trailer.reserved)))) {
      corrupt("the trailer at offset ", trailer_offset, " belongs to another file");
    }
    // At most 1,024 x 40 bytes, so that nothing here can wrap; the table must end, rounded up, exactly where the trailer begins.
    const std::uint64_t count = trailer.section_count;
    if (count > kMaxSections || trailer.table_length != count * sizeof(Entry) || trailer.table_offset < sizeof(Head) ||
        trailer.table_offset > trailer_offset || trailer.table_offset % kAlignment != 0 ||
        trailer_offset - trailer.table_offset != round_up(trailer.table_length)) {
      corrupt("the trailer at offset ", trailer_offset, " names a table of ", trailer.table_length, " bytes at offset ",
              trailer.table_offset, " that does not fit");
    }
    const auto raw = bytes().subspan(trailer.table_offset, trailer.table_length);
    if (crc32c(raw) != trailer.table_crc) corrupt("damaged section table (offset ", trailer.table_offset, ", checksum differs)");
    check_padding(trailer.table_offset + trailer.table_length, trailer_offset);
    table.resize(count);
    if (count > 0) std::memcpy(table.data(), raw.data(), raw.size());
    check_entries(trailer.table_offset);
  }

  void check_entries(std::uint64_t end) const {
    std::uint64_t offset = sizeof(Head);  // where the next section must begin; stays a multiple of 64 and at most `end`
    for (std::size_t i = 0; i < table.size(); ++i) {
      const Entry& entry = table[i];
      const std::string name = name_of(entry);
      if (!valid_name(name)) corrupt("section ", i, " has an invalid name");
      for (std::size_t j = 0; j < i; ++j) {
        if (table[j].name == entry.name) corrupt("section '", name, "' appears twice");
      }
      if (entry.flags != 0) fail(ErrorCode::kUnsupported, path, ": section '", name, "' has unknown flags ", entry.flags);
      if (entry.offset != offset || entry.length > end - offset) {
        corrupt("section '", name, "' of ", entry.length, " bytes at offset ", entry.offset, " does not fit (expected at ",
                offset, ", before ", end, ")");
      }
      offset = round_up(entry.offset + entry.length);  // <= end, since end is a multiple of 64
      check_padding(entry.offset + entry.length, offset);
    }
    if (offset != end) corrupt("bytes ", offset, " to ", end, " belong to no section");
  }

  void check_padding(std::uint64_t begin, std::uint64_t end) const {
    if (!is_zero(bytes().subspan(begin, end - begin))) corrupt("padding at offset ", begin, " is not zero");
  }

  void check_crc(const Entry& entry) const {
    if (crc32c(bytes().subspan(entry.offset, entry.length)) != entry.crc) {
      corrupt("section '", name_of(entry), "' is damaged (", entry.length, " bytes at offset ", entry.offset,
              ", checksum differs)");
    }
  }

  const Entry* find(const std::string& name) const noexcept {
    for (const Entry& entry : table) {
      const std::string_view field(entry.name.data(), kNameBytes);
      if (field.substr(0, field.find('\0')) == name) return &entry;
    }
    return nullptr;
  }
};

Container::Container() : state_(std::make_unique<State>()) {}
Container::~Container() = default;

std::shared_ptr<const Container> Container::open(FileSystem& fs, const std::string& path, const std::string& kind,
                                                 std::uint32_t max_version, std::uint64_t eager_limit) {
  return open(fs.map(path), path, kind, max_version, eager_limit);
}

std::shared_ptr<const Container> Container::open(std::unique_ptr<MappedFile> content, const std::string& path,
                                                 const std::string& kind, std::uint32_t max_version, std::uint64_t eager_limit) {
  check_kind(kind);
  const std::shared_ptr<Container> container(new Container);
  State& s = *container->state_;
  s.path = path;
  s.file = std::move(content);
  s.read_head(kind, max_version);
  s.read_table();
  for (const Entry& entry : s.table) {
    if (entry.length < eager_limit) s.check_crc(entry);
  }
  return container;
}

std::uint32_t Container::version() const noexcept { return state_->head.kind_version; }
const std::string& Container::path() const noexcept { return state_->path; }
bool Container::has(const std::string& name) const noexcept { return state_->find(name) != nullptr; }

std::span<const std::byte> Container::section(const std::string& name) const {
  const Entry* entry = state_->find(name);
  if (entry == nullptr) state_->corrupt("section '", name, "' is missing");
  return state_->bytes().subspan(entry->offset, entry->length);
}

std::vector<std::string> Container::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : state_->table) names.push_back(name_of(entry));
  return names;
}

void Container::verify() const {
  for (const Entry& entry : state_->table) state_->check_crc(entry);
}

}  // namespace signet
