#include "store/rows.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "signet/base/error.h"

namespace signet::store {
namespace {

constexpr std::uint64_t kHasHash = 1;
constexpr std::uint64_t kHasJson = 2;
constexpr std::uint64_t kMaxClassNames = 1 << 20;
constexpr std::uint64_t kLabelEnd = std::uint64_t{1} << 31;

}  // namespace

std::string shown(const std::string& key) {
  std::string text = key.substr(0, 80);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return key.size() > 80 ? text + "..." : text;
}

Bytes encode_head(const HeadRow& row) {
  if (row.class_names.size() >= kMaxClassNames)
    fail(ErrorCode::kInvalidArgument, "a collection has fewer than ", kMaxClassNames, " class names, not ",
         row.class_names.size());
  BlobWriter out;
  out.varint(row.bits);
  out.bytes(row.model.empty() ? Bytes{} : hash_bytes(row.model, "the model's fingerprint"));
  out.text(row.model_path);
  out.text(row.root);
  out.varint(row.class_names.size());
  for (const auto& name : row.class_names) out.text(name);
  return out.seal(1);
}

HeadRow decode_head(std::span<const std::byte> body) {
  BlobReader in(body, 1, {}, "the catalog's head row");
  HeadRow row;
  row.bits = static_cast<std::uint32_t>(in.varint_below(kMaxBits + 1));
  const auto model = in.bytes();
  if (row.bits == 0 || (model.size() != 0 && model.size() != 32))
    fail(ErrorCode::kCorrupt, "the catalog's head row holds no valid bits or model");
  row.model = hash_hex(model);
  row.model_path = in.text();
  row.root = in.text();
  const std::uint64_t names = in.varint_below(kMaxClassNames);
  for (std::uint64_t i = 0; i < names; ++i)
    row.class_names.push_back(in.text());  // grows with what is read, not with what is claimed
  in.end();
  return row;
}

Bytes encode_state(const StateRow& row) {
  BlobWriter out;
  for (const auto v : {row.commit, row.next_id, row.next_segment, row.images, row.removed, row.picture_bytes, row.code_bytes,
                       row.tombstones_commit}) {
    out.varint(v);
  }
  return out.seal(1);
}

StateRow decode_state(std::span<const std::byte> body) {
  BlobReader in(body, 1, {}, "the catalog's state row");
  StateRow row;
  for (auto* v : {&row.commit, &row.next_id, &row.next_segment, &row.images, &row.removed, &row.picture_bytes, &row.code_bytes,
                  &row.tombstones_commit}) {
    *v = in.varint();
  }
  in.end();
  return row;
}

Bytes encode_segment(const SegmentRow& row) {
  BlobWriter out;
  for (const auto v : {row.count, row.first_id, row.last_id, row.file_size, row.commit, std::uint64_t{row.content_crc}})
    out.varint(v);
  return out.seal(row.number);
}

SegmentRow decode_segment(std::uint64_t number, std::span<const std::byte> body) {
  BlobReader in(body, number, {}, concat("the catalog's row of segment ", number));
  SegmentRow row;
  row.number = number;
  for (auto* v : {&row.count, &row.first_id, &row.last_id, &row.file_size, &row.commit}) *v = in.varint();
  row.content_crc = static_cast<std::uint32_t>(in.varint_below(std::uint64_t{1} << 32));
  in.end();
  return row;
}

Bytes encode_image(const ImageRecord& record) {
  BlobWriter out;
  out.varint((record.sha256.empty() ? 0 : kHasHash) | (record.user_json.empty() ? 0 : kHasJson));
  out.varint(record.labels.size());
  std::int32_t previous = 0;
  for (const auto label : record.labels) {
    out.varint(static_cast<std::uint64_t>(label - previous));
    previous = label;
  }
  out.varint(record.width);
  out.varint(record.height);
  out.varint(record.bytes);
  out.zigzag(record.modified_ns);
  if (!record.sha256.empty()) out.raw(hash_bytes(record.sha256, "sha256"));
  if (!record.user_json.empty()) out.text(record.user_json);
  return out.seal(record.id, record.key);
}

ImageRecord decode_image_row(std::uint64_t id, std::string_view key, std::span<const std::byte> body) {
  BlobReader in(body, id, key, concat("the catalog's row of image ", id));
  ImageRecord record;
  record.id = id;
  record.key = std::string(key);
  const std::uint64_t flags = in.varint_below(4);
  const std::uint64_t labels = in.varint_below(kMaxLabels + 1);
  std::uint64_t label = 0;
  for (std::uint64_t i = 0; i < labels; ++i) {
    const std::uint64_t step = in.varint_below(kLabelEnd);
    if (step == 0 && i > 0) fail(ErrorCode::kCorrupt, "the catalog's row of image ", id, " holds a label twice");
    label += step;
    if (label >= kLabelEnd) fail(ErrorCode::kCorrupt, "the catalog's row of image ", id, " holds a label beyond its range");
    record.labels.push_back(static_cast<std::int32_t>(label));
  }
  record.width = static_cast<std::uint32_t>(in.varint_below(std::uint64_t{1} << 32));
  record.height = static_cast<std::uint32_t>(in.varint_below(std::uint64_t{1} << 32));
  record.bytes = in.varint();
  record.modified_ns = in.zigzag();
  if (flags & kHasHash) record.sha256 = hash_hex(in.raw(32));
  if (flags & kHasJson) {
    record.user_json = in.text();
    if (record.user_json.empty()) fail(ErrorCode::kCorrupt, "the catalog's row of image ", id, " announces JSON and holds none");
  }
  in.end();
  return record;
}

std::string verdict_key(std::uint64_t b) {
  std::string key;
  for (int i = 0; i < 8; ++i) key.push_back(static_cast<char>((b >> (8 * i)) & 0xff));
  return key;
}

Bytes encode_verdict(const Verdict& verdict) {
  BlobWriter out;
  out.varint(verdict.duplicate ? 1 : 0);
  return out.seal(verdict.a, verdict_key(verdict.b));
}

Verdict decode_verdict(std::uint64_t a, std::uint64_t b, std::span<const std::byte> body) {
  const std::string what = concat("the catalog's verdict on the images ", a, " and ", b);
  BlobReader in(body, a, verdict_key(b), what);
  const Verdict verdict{a, b, in.varint_below(2) == 1};
  in.end();
  if (a >= b) fail(ErrorCode::kCorrupt, what, " names them in the wrong order");
  return verdict;
}

Bytes hash_bytes(const std::string& hex, const std::string& what) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  Bytes out(32);
  bool good = hex.size() == 64;
  for (std::size_t i = 0; good && i < 32; ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) out[i] = static_cast<std::byte>(high * 16 + low);
  }
  if (!good) fail(ErrorCode::kInvalidArgument, what, " must be 64 lower-case hex digits, not \"", shown(hex), "\"");
  return out;
}

std::string hash_hex(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    hex.push_back(kDigits[value >> 4]);
    hex.push_back(kDigits[value & 15]);
  }
  return hex;
}

void check_key(const std::string& key) {
  if (key.empty()) fail(ErrorCode::kInvalidArgument, "a key is empty; every image needs a name of 1 to ", kMaxKeyBytes, " bytes");
  if (key.size() > kMaxKeyBytes) {
    fail(ErrorCode::kInvalidArgument, "key \"", shown(key), "\" has ", key.size(), " bytes; at most ", kMaxKeyBytes,
         " are possible");
  }
  if (key.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
    fail(ErrorCode::kInvalidArgument, "key \"", shown(key), "\" holds a NUL or a line break, which a key may not");
  }
}

ImageRecord checked_record(const ImageRecord& record) {
  check_key(record.key);
  ImageRecord out = record;
  std::sort(out.labels.begin(), out.labels.end());
  out.labels.erase(std::unique(out.labels.begin(), out.labels.end()), out.labels.end());
  if (!out.labels.empty() && out.labels.front() < 0) {
    fail(ErrorCode::kInvalidArgument, "key \"", shown(record.key), "\" has the label ", out.labels.front(),
         "; labels count from 0");
  }
  if (out.labels.size() > kMaxLabels) {
    fail(ErrorCode::kInvalidArgument, "key \"", shown(record.key), "\" has ", out.labels.size(), " labels; at most ", kMaxLabels,
         " are possible");
  }
  if (!record.sha256.empty()) hash_bytes(record.sha256, concat("sha256 of key \"", shown(record.key), "\""));
  if (record.user_json.size() > kMaxUserJsonBytes) {
    fail(ErrorCode::kInvalidArgument, "user_json of key \"", shown(record.key), "\" has ", record.user_json.size(),
         " bytes; at most ", kMaxUserJsonBytes, " are possible");
  }
  if (!record.user_json.empty() && !nlohmann::json::accept(record.user_json)) {
    fail(ErrorCode::kInvalidArgument, "user_json of key \"", shown(record.key), "\" is not a JSON value");
  }
  return out;
}

void check_labels(const ImageRecord& checked, const HeadRow& head) {
  if (checked.labels.empty() || head.class_names.empty()) return;
  if (static_cast<std::size_t>(checked.labels.back()) >= head.class_names.size()) {
    fail(ErrorCode::kInvalidArgument, "key \"", shown(checked.key), "\" has the label ", checked.labels.back(),
         ", but the collection has ", head.class_names.size(), " class names; append the missing ones first");
  }
}

}  // namespace signet::store
