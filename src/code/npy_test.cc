#include "signet/code/npy.h"

#include <cstring>

#include "base/memory_file.h"
#include "base/test_folder.h"
#include "signet/base/random.h"

namespace signet {
namespace {

// A .npy file of the given version with this header text and these data bytes.
std::string npy(const std::string& header, const std::string& data, int major = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xffU);
  return file + header + data;
}

NpyArray parse(const std::string& file) { return parse_npy(as_bytes(file), "x.npy"); }
ErrorCode parse_error(const std::string& file, std::string* message = nullptr) {
  std::string text;
  const ErrorCode code = error_of([&] { parse(file); }, &text);
  EXPECT_TRUE(text.starts_with("x.npy: ")) << text;
  if (message != nullptr) *message = text;
  return code;
}

const std::string kHeader = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n";

TEST(NpyRead, WhatNumpyWrites) {
  for (const int version : {1, 2, 3}) {
    const NpyArray array = parse(npy(kHeader, "abcdef", version));
    EXPECT_EQ(array.type, NpyType::kUint8);
    EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(array.as<char>()[5], 'f');
  }
}

TEST(NpyRead, EveryTypeAndOneDimension) {
  const std::string eight("\1\0\0\0\2\0\0\0", 8);
  const NpyArray ints = parse(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", eight));
  EXPECT_EQ(ints.shape, std::vector<std::size_t>{2});
  EXPECT_EQ(ints.as<std::int32_t>()[1], 2);
  EXPECT_EQ(parse(npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", eight)).as<std::int64_t>()[0], 0x200000001);
  EXPECT_EQ(parse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", eight)).type, NpyType::kFloat32);
  // Order of keys, quotes and spaces are NumPy's business; a one-dimensional array is in both orders.
  EXPECT_EQ(parse(npy("{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"<f4\"}", eight)).shape[0], 2U);
}

TEST(NpyRead, EmptyArrays) {
  EXPECT_TRUE(parse(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }", "")).data.empty());
  EXPECT_EQ(parse(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 8), }", "")).shape[1], 8U);
}

TEST(NpyRead, UnsupportedKinds) {
  EXPECT_EQ(parse_error(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "x")), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", "1234")), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "abcdef")), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1), }", "a")), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "a")), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999999, 0), }", "")),
            ErrorCode::kUnsupported);
  EXPECT_EQ(parse_error(npy(kHeader, "abcdef", 4)), ErrorCode::kUnsupported);
}

TEST(NpyRead, DataThatDoesNotFitTheShape) {
  std::string message;
  EXPECT_EQ(parse_error(npy(kHeader, "abcde"), &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("2 x 3"), std::string::npos) << message;
  EXPECT_EQ(parse_error(npy(kHeader, "abcdefg")), ErrorCode::kCorrupt);
  // Products that wrap around to what is there.
  const auto shaped = [](const std::string& shape) {
    return "{'descr': '<i8', 'fortran_order': False, 'shape': " + shape + ", }";
  };
  EXPECT_EQ(parse_error(npy(shaped("(2305843009213693952,)"), "")), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_error(npy(shaped("(4294967296, 4294967296)"), "")), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_error(npy(shaped("(18446744073709551616,)"), "")), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_error(npy(shaped("(99999999999999999999999999999999,)"), "")), ErrorCode::kCorrupt);
}

TEST(NpyRead, MalformedHeaders) {
  for (const char* header :
       {"", "{", "{}", "[]", "{'descr'", "{'descr': ", "{'descr': '|u1", "{'descr': '|u1'}",
        "{'descr': '|u1', 'fortran_order': Maybe, 'shape': (6,)}", "{'descr': '|u1', 'fortran_order': False, 'shape': 6}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-6,)}", "{'descr': '|u1', 'fortran_order': False, 'shape': (6,}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,)", "{'descr': '|u1', 'fortran_order': False, 'shape': (6,)} x",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (6,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), 'more': 1}"}) {
    EXPECT_EQ(parse_error(npy(header, "abcdef")), ErrorCode::kCorrupt) << header;
  }
}

TEST(NpyRead, EveryTruncationIsFound) {
  const std::string file = npy(kHeader, "abcdef", 2);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_EQ(parse_error(file.substr(0, size)), ErrorCode::kCorrupt) << size;
  EXPECT_EQ(parse_error("\x93NUMPX" + file.substr(6)), ErrorCode::kCorrupt);
}

// Flipped bytes may give another valid array, never anything but an array or an Error.
TEST(NpyRead, FlippedBytesNeverCrash) {
  const std::string good = npy(kHeader, "abcdef");
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      try {
        EXPECT_EQ(parse(bad).data.size(), 6U);
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported) << error.what();
      }
    }
  }
}

class NpyFile : public TestFolder {};

TEST_F(NpyFile, BytesAreThoseOfNumpy) {
  const std::vector<std::size_t> shape{2, 3};
  write_npy(real_file_system(), path("a.npy"), NpyType::kUint8, shape, as_bytes("abcdef"));
  // numpy.save(path, numpy.frombuffer(b"abcdef", "u1").reshape(2, 3)) writes this.
  const std::string head("\x93NUMPY\x01\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", 10 + 59);
  EXPECT_EQ(get(path("a.npy")), head + std::string(128 - head.size() - 1, ' ') + "\nabcdef");
}

TEST_F(NpyFile, WrittenArraysComeBack) {
  const std::vector<std::size_t> shapes[] = {{0}, {7}, {0, 5}, {7, 1}, {123456, 1}, {1, 4000}};
  for (const auto& shape : shapes) {
    std::size_t count = 1;
    for (const std::size_t n : shape) count *= n;
    const std::vector<std::byte> data(count * 4, std::byte{7});
    write_npy(real_file_system(), path("a.npy"), NpyType::kFloat32, shape, data);
    const NpyArray array = read_npy(real_file_system(), path("a.npy"));
    EXPECT_EQ(array.type, NpyType::kFloat32);
    EXPECT_EQ(array.shape, shape);
    EXPECT_EQ(array.data, data);
    EXPECT_EQ((get(path("a.npy")).size() - data.size()) % 64, 0U);
  }
}

TEST_F(NpyFile, RefusesToWriteNonsense) {
  const std::vector<std::size_t> three{1, 1, 1};
  const std::vector<std::size_t> two{1, 1};
  EXPECT_EQ(error_of([&] { write_npy(real_file_system(), path("a"), NpyType::kUint8, three, as_bytes("a")); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { write_npy(real_file_system(), path("a"), NpyType::kInt32, two, as_bytes("a")); }),
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(real_file_system().list(folder()).empty());
}

TEST_F(NpyFile, CodesThereAndBack) {
  FileSystem& fs = real_file_system();
  Random random(1);
  for (const std::uint32_t bits : {1U, 8U, 12U, 64U, 4096U}) {
    CodeMatrix codes(5, bits);
    for (std::size_t i = 0; i < 5; ++i) codes.row(i)[0] = static_cast<std::uint8_t>(random.below(2));
    write_codes_npy(fs, path("c.npy"), codes);
    EXPECT_EQ(read_codes_npy(fs, path("c.npy"), bits), codes);
    EXPECT_EQ(read_codes_npy(fs, path("c.npy"), 0).bits(), 8 * bytes_per_code(bits));
  }
}

TEST_F(NpyFile, CodesOfAnotherShape) {
  FileSystem& fs = real_file_system();
  write_codes_npy(fs, path("c.npy"), CodeMatrix(12, {0xff, 0x0f}));
  std::string message;
  EXPECT_EQ(error_of([&] { read_codes_npy(fs, path("c.npy"), 24); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("24 bits"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { read_codes_npy(fs, path("c.npy"), 11); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(message.starts_with(path("c.npy"))) << message;
  EXPECT_EQ(error_of([&] { read_codes_npy(fs, path("c.npy"), 5000); }), ErrorCode::kInvalidArgument);
  const std::vector<std::size_t> wide{1, 600};
  write_npy(fs, path("w.npy"), NpyType::kUint8, wide, std::vector<std::byte>(600));
  EXPECT_EQ(error_of([&] { read_codes_npy(fs, path("w.npy"), 0); }), ErrorCode::kInvalidArgument);
  const std::vector<std::size_t> flat{4};
  write_npy(fs, path("f.npy"), NpyType::kUint8, flat, std::vector<std::byte>(4));
  EXPECT_EQ(error_of([&] { read_codes_npy(fs, path("f.npy"), 8); }), ErrorCode::kMismatch);
}

}  // namespace
}  // namespace signet
