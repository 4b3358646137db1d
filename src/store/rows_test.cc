#include "store/rows.h"

#include <gtest/gtest.h>

#include <limits>

#include "store/segment.h"
#include "store/test_collection.h"

namespace signet::store {
namespace {

ImageRecord full_record() {
  ImageRecord record = test_record("folder/p\xc3\xa4th.png", 6);
  record.id = 1'000'000'007;
  record.labels = {0, 5, 2'147'483'647};
  record.width = record.height = ~std::uint32_t{0};
  record.bytes = ~std::uint64_t{0};
  record.modified_ns = std::numeric_limits<std::int64_t>::min();
  record.user_json = "[null]";
  return record;
}

TEST(Rows, EveryRowComesBackAsItWas) {
  const ImageRecord record = full_record();
  EXPECT_EQ(decode_image_row(record.id, record.key, encode_image(record)), record);
  ImageRecord empty;
  empty.id = 1;
  empty.key = "k";
  EXPECT_EQ(decode_image_row(1, "k", encode_image(empty)), empty);
  const StateRow state{1, 2, 3, 4, 5, ~std::uint64_t{0}, 7, 8};
  EXPECT_EQ(decode_state(encode_state(state)), state);
  const SegmentRow segment{9, 1, 2, 3, 4, 5, ~std::uint32_t{0}};
  EXPECT_EQ(decode_segment(9, encode_segment(segment)), segment);
  const HeadRow head{4096, std::string(64, 'f'), "m.onnx", "", {"", "two"}};
  const HeadRow back = decode_head(encode_head(head));
  EXPECT_EQ(back.model, head.model);
  EXPECT_EQ(back.class_names, head.class_names);
}

TEST(Rows, AsManyClassNamesAreWrittenAsAreRead) {
  HeadRow head{12, "", "", "", std::vector<std::string>((1 << 20) - 1)};
  EXPECT_EQ(decode_head(encode_head(head)).class_names.size(), head.class_names.size());
  head.class_names.emplace_back();
  EXPECT_EQ(error_of([&] { encode_head(head); }), ErrorCode::kInvalidArgument);
}

// Any flipped bit, any shortening, another id or key: refused.
TEST(Rows, ABodyOfSomethingElseIsRefused) {
  const ImageRecord record = full_record();
  const Bytes body = encode_image(record);
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    Bytes bad = body;
    bad[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(error_of([&] { decode_image_row(record.id, record.key, bad); }), ErrorCode::kCorrupt);
  }
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(error_of([&] { decode_image_row(record.id, record.key, std::span(body).first(size)); }), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(error_of([&] { decode_image_row(record.id + 1, record.key, body); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { decode_image_row(record.id, "other", body); }), ErrorCode::kCorrupt);
}

Bytes sealed(std::initializer_list<unsigned> fields) {
  BlobWriter out;
  for (const unsigned field : fields) {
    const auto byte = static_cast<std::byte>(field);
    out.raw({&byte, 1});
  }
  return out.seal(1);
}

// Fields that lie although the checksum is right: lengths beyond the end, numbers beyond 64 bits, bytes left over.
TEST(Rows, LyingFieldsAreRefusedBeforeTheyAllocate) {
  const Bytes bodies[] = {sealed({}),
                          sealed({8}),
                          sealed({8, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}),  // 2^28 class names
                          sealed({8, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}),  // a path of 4 GiB
                          sealed({0, 0, 0, 0, 0}),                       // 0 bits
                          sealed({8, 0, 0, 0, 0, 0}),                    // a byte left over
                          sealed({8, 1, 0, 0, 0, 0}),                    // a fingerprint of one byte
                          sealed({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0})};
  for (const Bytes& body : bodies) EXPECT_EQ(error_of([&] { decode_head(body); }), ErrorCode::kCorrupt);
  EXPECT_EQ(decode_head(sealed({8, 0, 0, 0, 0})).bits, 8u);
}

// One value has one spelling: a second one would be a row that signet never wrote.
TEST(Rows, OtherSpellingsOfAValueAreRefused) {
  EXPECT_EQ(error_of([] { decode_head(sealed({0x88, 0, 0, 0, 0, 0})); }), ErrorCode::kCorrupt);  // 8 in two bytes
  const auto image = [](std::initializer_list<unsigned> fields) {
    const Bytes body = sealed(fields);
    return decode_image_row(1, {}, body);
  };
  EXPECT_EQ(image({0, 2, 3, 1, 0, 0, 0, 0}).labels, (std::vector<std::int32_t>{3, 4}));
  EXPECT_EQ(error_of([&] { image({0, 2, 3, 0, 0, 0, 0, 0}); }), ErrorCode::kCorrupt);  // label 3 twice
  EXPECT_EQ(image({2, 0, 0, 0, 0, 0, 1, '1'}).user_json, "1");
  EXPECT_EQ(error_of([&] { image({2, 0, 0, 0, 0, 0, 0}); }), ErrorCode::kCorrupt);  // JSON of no bytes
}

class SegmentTest : public TestFolder {
 protected:
  SegmentTest() { fs.create_directory(path("segments")); }
  FileSystem& fs = real_file_system();
  HeadRow head{kTestBits, kModelA, "", "", {}};
};

Piece piece_of(const CodeMatrix& codes, const std::vector<std::uint64_t>& ids) {
  return {codes.data(), {0, ids.size(), 8, reinterpret_cast<const std::byte*>(ids.data())}, nullptr};
}

TEST_F(SegmentTest, IdsTakeTheFewestBytesThatHoldThem) {
  const CodeMatrix codes = random_codes(5, kTestBits, 1);
  const std::vector<std::vector<std::uint64_t>> cases = {
      {7, 8, 9, 10, 11}, {1, 2, 3, 4, 6}, {1, 5, 6, 7, std::uint64_t{1} << 32}, {1, 5, 6, 7, (std::uint64_t{1} << 32) + 1}};
  const std::uint32_t widths[] = {0, 4, 4, 8};
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const Piece piece = piece_of(codes, cases[c]);
    const SegmentRow row = write_segment(fs, folder(), {c + 1, 3, kTestBits, kModelA}, std::span(&piece, 1));
    const auto file = SegmentFile::open(fs, folder(), row, head);
    EXPECT_EQ(file->ids().width, widths[c]);
    file->verify();
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(file->ids().id(i), cases[c][i]);
      EXPECT_EQ(file->ids().position(cases[c][i]), i);
      EXPECT_TRUE(std::ranges::equal(file->code(i), codes.row(i)));
    }
    EXPECT_EQ(file->ids().position(cases[c][4] + 1), std::nullopt);
    EXPECT_EQ(file->ids().position(0), std::nullopt);
  }
}

TEST_F(SegmentTest, AnotherSegmentUnderTheNameIsRefused) {
  const CodeMatrix codes = random_codes(5, kTestBits, 1), others = random_codes(5, kTestBits, 2);
  const std::vector<std::uint64_t> ids = {1, 2, 3, 4, 5};
  const Piece piece = piece_of(codes, ids), other = piece_of(others, ids);
  const SegmentRow row = write_segment(fs, folder(), {1, 3, kTestBits, kModelA}, std::span(&piece, 1));
  write_segment(fs, folder(), {1, 3, kTestBits, kModelA}, std::span(&other, 1));
  EXPECT_EQ(error_of([&] { SegmentFile::open(fs, folder(), row, head); }), ErrorCode::kCorrupt);
  HeadRow another = head;
  another.model = kModelB;
  const SegmentRow now = SegmentFile::open_alone(fs, segment_path(folder(), 1))->row();
  EXPECT_EQ(error_of([&] { SegmentFile::open(fs, folder(), now, another); }), ErrorCode::kCorrupt);
  EXPECT_EQ(segment_number(segment_name(123'456'789'012)), 123'456'789'012u);
  EXPECT_EQ(segment_number("1.seg"), std::nullopt);
  EXPECT_EQ(segment_number("00000001.seg.tmp-1"), std::nullopt);
}

// At most ceil(bits / 8) + 8 bytes a code, frame of the file aside, also where ids have gaps.
TEST_F(SegmentTest, CostAtRest) {
  const std::size_t n = 100'000;
  const CodeMatrix codes(n, 12);
  std::vector<std::uint64_t> plain(n), holey(n);
  for (std::size_t i = 0; i < n; ++i) {
    plain[i] = 1 + i;
    holey[i] = 1 + 3 * i;
  }
  const Piece a = piece_of(codes, plain), b = piece_of(codes, holey);
  EXPECT_LE(write_segment(fs, folder(), {1, 1, 12, kModelA}, std::span(&a, 1)).file_size, n * 2 + n / 1024 * 4 + 1024);
  EXPECT_LE(write_segment(fs, folder(), {2, 1, 12, kModelA}, std::span(&b, 1)).file_size, n * 6 + n / 1024 * 4 + 1024);
}

}  // namespace
}  // namespace signet::store
