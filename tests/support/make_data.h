#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/base/random.h"
#include "signet/image/image.h"

// Small data sets made on the spot, for tests. Header only; needs signet::image. Include as "tests/support/make_data.h".
namespace signet::testdata {

// A fresh folder, removed with everything in it at the end. `parent`: testing::TempDir().
class Folder {
 public:
  explicit Folder(const std::string& parent) {
    std::string name = (std::filesystem::path(parent) / "signet-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Writes a file; the folders on the way to it are made.
inline void write(const std::string& path, std::string_view content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A picture of class `label`: a bright bar whose angle and colour depend on the class alone, at a place that depends on `number`,
// in noise. Different numbers give different pixels; classes are easy to learn.
inline Image picture(std::uint32_t label, std::uint32_t number, std::uint32_t width = 16, std::uint32_t height = 16,
                     std::uint32_t channels = 1) {
  Random random(mix_seed(mix_seed(77, label), number));
  Image image{width, height, channels, std::vector<std::uint8_t>(std::size_t{width} * height * channels)};
  const std::uint32_t shift = static_cast<std::uint32_t>(random.below(4));
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const std::uint32_t along = label % 3 == 0 ? x : label % 3 == 1 ? y : x + y;
      const bool bright = (along + shift) / (2 + label / 3) % 2 == 0;
      for (std::uint32_t c = 0; c < channels; ++c) {
        const bool lit = bright && (channels == 1 || c != label % 3);
        image.pixels[(std::size_t{y} * width + x) * channels + c] =
            static_cast<std::uint8_t>((lit ? 180 : 20) + random.below(50));
      }
    }
  }
  return image;
}

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

inline std::string idx_images(std::span<const Image> images) {
  std::string content = std::string("\0\0\x08\x03", 4) + big_endian(static_cast<std::uint32_t>(images.size())) +
                        big_endian(images.front().height) + big_endian(images.front().width);
  for (const Image& image : images) content.append(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
  return content;
}

inline std::string idx_labels(std::span<const std::uint8_t> labels) {
  std::string content = std::string("\0\0\x08\x01", 4) + big_endian(static_cast<std::uint32_t>(labels.size()));
  for (const std::uint8_t label : labels) content += static_cast<char>(label);
  return content;
}

// <prefix>-images-idx3-ubyte and <prefix>-labels-idx1-ubyte: image i is of class i % classes and is picture(i % classes, first +
// i).
inline void make_idx(const std::string& folder, const std::string& prefix, std::uint32_t count, std::uint32_t classes,
                     std::uint32_t side = 16, std::uint32_t first = 0) {
  std::vector<Image> images;
  std::vector<std::uint8_t> labels;
  for (std::uint32_t i = 0; i < count; ++i) {
    images.push_back(picture(i % classes, first + i, side, side));
    labels.push_back(static_cast<std::uint8_t>(i % classes));
  }
  write(folder + "/" + prefix + "-images-idx3-ubyte", idx_images(images));
  write(folder + "/" + prefix + "-labels-idx1-ubyte", idx_labels(labels));
}

// Train and test files as MNIST has them; no picture is in both.
inline void make_idx_pair(const std::string& folder, std::uint32_t train, std::uint32_t test, std::uint32_t classes,
                          std::uint32_t side = 16) {
  make_idx(folder, "train", train, classes, side);
  make_idx(folder, "t10k", test, classes, side, 1'000'000);
}

// Names and contents of PNG files class0/0000.png, class0/0001.png, ..., class1/0000.png, ...; numbers count through all classes.
using NamedFiles = std::vector<std::pair<std::string, std::string>>;
inline NamedFiles class_files(std::uint32_t classes, std::uint32_t per_class, std::uint32_t side = 16, std::uint32_t channels = 3,
                              std::uint32_t first = 0) {
  NamedFiles files;
  for (std::uint32_t label = 0; label < classes; ++label) {
    for (std::uint32_t i = 0; i < per_class; ++i) {
      std::string number = std::to_string(i);
      number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
      files.emplace_back("class" + std::to_string(label) + "/" + number + ".png",
                         text_of(encode_png(picture(label, first + label * per_class + i, side, side, channels))));
    }
  }
  return files;
}

inline void write_all(const std::string& folder, const NamedFiles& files) {
  for (const auto& [name, content] : files) write(folder + "/" + name, content);
}

inline void make_class_folder(const std::string& folder, std::uint32_t classes, std::uint32_t per_class, std::uint32_t side = 16,
                              std::uint32_t channels = 3) {
  write_all(folder, class_files(classes, per_class, side, channels));
}

// One USTAR header block. type '0' file, '5' folder, '1' hard link, '2' symbolic link, 'L' GNU long name, 'x' pax record.
inline std::string tar_header(const std::string& name, std::size_t size, char type = '0', const std::string& link = {}) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  const auto octal = [](std::size_t value, std::size_t digits) {
    std::string text(digits, '0');
    for (std::size_t i = digits; i-- > 0; value /= 8) text[i] = static_cast<char>('0' + value % 8);
    return text;
  };
  put(0, name.substr(0, 100));
  put(100, octal(0644, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(148, std::string(8, ' '));
  block[156] = type;
  put(157, link.substr(0, 100));
  put(257, std::string("ustar\00000", 8));
  std::size_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return block;
}

inline std::string tar_member(const std::string& name, const std::string& content, char type = '0') {
  return tar_header(name, content.size(), type) + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

inline void make_tar(const std::string& path, const NamedFiles& files) {
  std::string archive;
  for (const auto& [name, content] : files) archive += tar_member(name, content);
  write(path, archive + tar_end());
}

// One CIFAR-10 record: label, then the red, green and blue planes of a 32 x 32 picture.
inline std::string cifar_record(std::uint8_t label, const Image& image) {
  std::string record(1, static_cast<char>(label));
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t p = 0; p < 1024; ++p) record += static_cast<char>(image.pixels[3 * p + c]);
  }
  return record;
}

// data_batch_1.bin ... data_batch_<batches>.bin and test_batch.bin with `per_batch` records each; record i is of class i % 10.
inline void make_cifar(const std::string& folder, std::uint32_t batches, std::uint32_t per_batch) {
  for (std::uint32_t b = 1; b <= batches + 1; ++b) {
    std::string content;
    for (std::uint32_t i = 0; i < per_batch; ++i)
      content += cifar_record(static_cast<std::uint8_t>(i % 10), picture(i % 10, b * 10'000 + i, 32, 32, 3));
    write(folder + "/" + (b <= batches ? "data_batch_" + std::to_string(b) : std::string("test_batch")) + ".bin", content);
  }
}

}  // namespace signet::testdata
