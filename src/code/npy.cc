#include "signet/code/npy.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "signet/base/error.h"

namespace signet {
namespace {

static_assert(std::endian::native == std::endian::little, ".npy data is taken as it lies in the file");

struct TypeName {
  NpyType type;
  std::string_view descr;
  std::size_t bytes;
};
constexpr std::array<TypeName, 4> kTypes{
    {{NpyType::kUint8, "|u1", 1}, {NpyType::kInt32, "<i4", 4}, {NpyType::kInt64, "<i8", 8}, {NpyType::kFloat32, "<f4", 4}}};
constexpr std::string_view kMagic = "\x93NUMPY";

const TypeName& describe(NpyType type) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) return known;
  }
  fail(ErrorCode::kInternal, "unknown element type of a .npy array");
}

// Reads the header, a Python dictionary literal with exactly the keys descr, fortran_order and shape. Only what NumPy itself
// writes is understood: quoted keys, a quoted string, True or False, a tuple of decimal numbers.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::size_t offset, const std::string& name) : text_(text), offset_(offset), name_(name) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        set(descr_, quoted(), key);
      } else if (key == "fortran_order") {
        set(fortran_, boolean(), key);
      } else if (key == "shape") {
        set(shape_, tuple(), key);
      } else {
        corrupt("unknown header key '", key, "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) corrupt("text after the header's dictionary");
    if (!descr_ || !fortran_ || !shape_) corrupt("the header lacks one of descr, fortran_order and shape");
  }

  std::string_view descr() const { return *descr_; }
  bool fortran() const { return *fortran_; }
  const std::vector<std::uint64_t>& shape() const { return *shape_; }

 private:
  template <typename... Parts>
  [[noreturn]] void corrupt(const Parts&... parts) const {
    fail(ErrorCode::kCorrupt, name_, ": ", parts..., " (offset ", offset_ + at_, ")");
  }
  template <typename T>
  void set(std::optional<T>& field, T value, std::string_view key) {
    if (field) corrupt("header key '", key, "' appears twice");
    field = std::move(value);
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) corrupt("malformed header, '", c, "' expected");
  }
  std::string_view quoted() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) corrupt("unterminated string in the header");
    const std::string_view value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    }
    corrupt("True or False expected in the header");
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> numbers;
    expect('(');
    while (!accept(')')) {
      numbers.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }
  std::uint64_t number() {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) corrupt("a number in the shape is too large");
      value = 10 * value + digit;
    }
    if (at_ == begin) corrupt("a number expected in the shape");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t offset_;
  const std::string& name_;
  std::optional<std::string_view> descr_;
  std::optional<bool> fortran_;
  std::optional<std::vector<std::uint64_t>> shape_;
};

struct Header {
  std::string_view text;
  std::size_t offset;  // of the text in the file
};

Header find_header(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view file = as_text(bytes);
  if (!file.starts_with(kMagic)) fail(ErrorCode::kCorrupt, name, ": not a .npy file (wrong magic at offset 0)");
  if (file.size() < 10) fail(ErrorCode::kCorrupt, name, ": truncated at offset ", file.size(), ", within the .npy head");
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
  const std::size_t major = byte(6);
  if (major < 1 || major > 3 || byte(7) != 0) {
    fail(ErrorCode::kUnsupported, name, ": .npy version ", major, ".", byte(7), "; versions 1.0, 2.0 and 3.0 are read");
  }
  const std::size_t offset = major == 1 ? 10 : 12;
  if (file.size() < offset) fail(ErrorCode::kCorrupt, name, ": truncated at offset ", file.size(), ", within the .npy head");
  const std::size_t length = byte(8) | byte(9) << 8 | (major == 1 ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > file.size() - offset) {
    fail(ErrorCode::kCorrupt, name, ": a header of ", length, " bytes at offset ", offset, " goes beyond the file's ",
         file.size(), " bytes");
  }
  return {file.substr(offset, length), offset};
}

const TypeName& find_type(std::string_view descr, const std::string& name) {
  for (const TypeName& known : kTypes) {
    if (known.descr == descr) return known;
  }
  fail(ErrorCode::kUnsupported, name, ": element type '", descr,
       "'; uint8 '|u1', int32 '<i4', int64 '<i8' and float32 '<f4' are read");
}

// Bytes of the array, or nothing where they exceed `most`.
std::optional<std::size_t> array_bytes(std::span<const std::uint64_t> shape, std::size_t element, std::size_t most) {
  std::uint64_t total = element;
  for (const std::uint64_t n : shape) {
    if (n != 0 && total > most / n) return std::nullopt;
    total *= n;
  }
  return total;
}

std::string header_text(NpyType type, std::span<const std::size_t> shape) {
  std::string text = concat("{'descr': '", describe(type).descr, "', 'fortran_order': False, 'shape': (", shape[0], ",");
  if (shape.size() == 2) text += concat(" ", shape[1]);
  text += "), }";
  // NumPy aligns the data to 64 bytes: 10 bytes of head, the text, spaces and a line feed.
  text.append(63 - (10 + text.size()) % 64, ' ');
  return text + '\n';
}

// An array that lies in the bytes it was read from.
struct NpyView {
  NpyType type;
  std::vector<std::size_t> shape;
  std::span<const std::byte> data;
};

NpyView view_npy(std::span<const std::byte> bytes, const std::string& name) {
  const Header header = find_header(bytes, name);
  HeaderParser parser(header.text, header.offset, name);
  parser.parse();
  const TypeName& type = find_type(parser.descr(), name);
  const std::vector<std::uint64_t>& shape = parser.shape();
  if (shape.empty() || shape.size() > 2) {
    fail(ErrorCode::kUnsupported, name, ": an array of ", shape.size(), " dimensions; one or two are read");
  }
  if (parser.fortran() && shape.size() == 2) fail(ErrorCode::kUnsupported, name, ": Fortran order; C order is read");
  if (shape.size() == 2 && shape[1] == 0 && shape[0] != 0)
    fail(ErrorCode::kUnsupported, name, ": ", shape[0], " rows without columns");
  const std::span<const std::byte> data = bytes.subspan(header.offset + header.text.size());
  const std::optional<std::size_t> wanted = array_bytes(shape, type.bytes, data.size());
  if (!wanted || *wanted != data.size()) {
    const std::string shape_text = shape.size() == 1 ? concat(shape[0]) : concat(shape[0], " x ", shape[1]);
    fail(ErrorCode::kCorrupt, name, ": shape ", shape_text, " of '", type.descr, "' does not fit the ", data.size(),
         " bytes that follow the header at offset ", bytes.size() - data.size());
  }
  return {type.type, {shape.begin(), shape.end()}, data};
}

}  // namespace

NpyArray parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  NpyView view = view_npy(bytes, name);
  return {view.type, std::move(view.shape), {view.data.begin(), view.data.end()}};
}

NpyArray read_npy(FileSystem& fs, const std::string& path) {
  const std::unique_ptr<MappedFile> file = fs.map(path);
  return parse_npy(file->data(), path);
}

void write_npy(FileSystem& fs, const std::string& path, NpyType type, std::span<const std::size_t> shape,
               std::span<const std::byte> data) {
  if (shape.empty() || shape.size() > 2)
    fail(ErrorCode::kInvalidArgument, path, ": an array of ", shape.size(), " dimensions; one or two are written");
  const std::vector<std::uint64_t> dimensions(shape.begin(), shape.end());
  if (array_bytes(dimensions, describe(type).bytes, data.size()) != data.size()) {
    fail(ErrorCode::kInvalidArgument, path, ": ", data.size(), " bytes do not fit the array's shape");
  }
  const std::string text = header_text(type, shape);
  std::string head(kMagic);
  head += {'\x01', '\x00', static_cast<char>(text.size() & 0xffU), static_cast<char>(text.size() >> 8)};
  write_file_atomically(fs, path, [&](WritableFile& file) {
    file.append(as_bytes(head + text));
    file.append(data);
  });
}

CodeMatrix read_codes_npy(FileSystem& fs, const std::string& path, std::uint32_t bits) {
  const std::unique_ptr<MappedFile> file = fs.map(path);
  const NpyView array = view_npy(file->data(), path);
  if (array.type != NpyType::kUint8 || array.shape.size() != 2) {
    fail(ErrorCode::kMismatch, path, ": codes are a uint8 array of two dimensions (codes x bytes)");
  }
  const std::size_t columns = array.shape[1];
  if (bits == 0) check_bits(8 * std::uint64_t{std::min<std::size_t>(columns, kMaxBits)}, path);
  const std::uint32_t used = bits == 0 ? static_cast<std::uint32_t>(8 * columns) : bits;
  check_bits(used, path);
  if (columns != bytes_per_code(used)) {
    fail(ErrorCode::kMismatch, path, ": ", columns, " bytes a code do not fit codes of ", used, " bits (", bytes_per_code(used),
         " bytes)");
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(array.data.data());
  try {
    return {used, {data, data + array.data.size()}};
  } catch (const Error& error) {
    fail(error.code(), path, ": ", error.what());
  }
}

void write_codes_npy(FileSystem& fs, const std::string& path, const CodeMatrix& codes) {
  const std::array<std::size_t, 2> shape{codes.size(), codes.stride()};
  write_npy(fs, path, NpyType::kUint8, shape, std::as_bytes(codes.data()));
}

}  // namespace signet
