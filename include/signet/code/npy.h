#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/code/code_matrix.h"

namespace signet {

// NumPy's .npy format, versions 1.0 to 3.0 in, 1.0 out; C order, little endian, one or two dimensions. Never a pickled object.
enum class NpyType { kUint8, kInt32, kInt64, kFloat32 };

struct NpyArray {
  NpyType type = NpyType::kUint8;
  std::vector<std::size_t> shape;  // one or two entries
  std::vector<std::byte> data;     // product(shape) elements
  template <typename T>
  std::span<const T> as() const {  // the caller has checked `type`
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
};

// Throws kCorrupt naming path and offset for anything that is not such a file, kUnsupported for other types, orders or more
// dimensions, before allocating more than the file holds; read_npy also kNotFound and kIo from the disk.
NpyArray read_npy(FileSystem& fs, const std::string& path);
NpyArray parse_npy(std::span<const std::byte> bytes, const std::string& name);

// Throws kInvalidArgument for other than one or two dimensions and for data that does not fit the shape, kIo from the disk.
void write_npy(FileSystem& fs, const std::string& path, NpyType type, std::span<const std::size_t> shape,
               std::span<const std::byte> data);

// Codes as a uint8 array of shape (n, ceil(bits / 8)). The array does not say how many bits are used: `bits` comes from elsewhere
// (codes.json beside it, or the model); 0 means all 8 * columns. Reading throws as read_npy; kMismatch for an array of another
// type or number of dimensions, and where `bits` needs another number of columns; kInvalidArgument for a length of other than 1
// to 4,096 bits and set padding bits. Writing throws kIo from the disk.
CodeMatrix read_codes_npy(FileSystem& fs, const std::string& path, std::uint32_t bits);
void write_codes_npy(FileSystem& fs, const std::string& path, const CodeMatrix& codes);

}  // namespace signet
