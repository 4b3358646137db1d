// jpeglib.h needs FILE and size_t before it, jerror.h needs jpeglib.h.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"

namespace signet {
namespace codec {
namespace {

// libjpeg reports errors by a function that must not return. It jumps back into the member function that called setjmp; between
// the two lie only frames of C and functions without destructors, which is what makes the jump defined. All state lives in the
// objects below, never in locals.
struct ErrorSink {
  jpeg_error_mgr base;  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump;
  std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void give_up(j_common_ptr common) {
  auto* sink = reinterpret_cast<ErrorSink*>(common->err);
  sink->base.format_message(common, sink->message.data());
  std::longjmp(sink->jump, 1);
}

// Warnings that leave the picture whole. Every other one means that pixels were made up (grey filling), and stops the decoding.
bool harmless(int code) noexcept {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_TOO_MUCH_DATA;
}

// Well-formed, but of a kind that the library does not decode.
bool beyond_library(int code) noexcept {
  return code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL ||
         code == JERR_CONVERSION_NOTIMPL || code == JERR_IMAGE_TOO_BIG;
}

// The second where the host program's environment (JPEGMEM) allows the library less memory than the picture needs.
bool lacks_memory(int code) noexcept { return code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE; }

void on_message(j_common_ptr common, int level) {
  if (level < 0 && !harmless(common->err->msg_code)) give_up(common);
}

void print_nothing(j_common_ptr) {}

// A progressive file may repeat scans without end; real ones have some ten. Each costs a pass over the whole picture.
constexpr int kMaxScans = 500;

void count_scans(j_common_ptr common) {
  const auto* cinfo = reinterpret_cast<j_decompress_ptr>(common);
  if (cinfo->input_scan_number > kMaxScans) {
    common->err->msg_code = JERR_BAD_PROGRESSION;
    give_up(common);
  }
}

void prepare(ErrorSink& sink) {
  jpeg_std_error(&sink.base);
  sink.base.error_exit = give_up;
  sink.base.emit_message = on_message;
  sink.base.output_message = print_nothing;
  sink.message[0] = '\0';
}

class Reader {
 public:
  Reader() {
    prepare(errors_);
    cinfo_.err = &errors_.base;
    progress_.progress_monitor = count_scans;
  }
  ~Reader() {
    if (created_) jpeg_destroy_decompress(&cinfo_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const char* message() const noexcept { return errors_.message.data(); }
  bool unsupported() const noexcept { return beyond_library(errors_.base.msg_code); }
  bool out_of_memory() const noexcept { return lacks_memory(errors_.base.msg_code); }
  const jpeg_decompress_struct& info() const noexcept { return cinfo_; }

  // false: message() says why.
  bool begin(std::span<const std::byte> bytes) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&cinfo_);
    created_ = true;
    cinfo_.progress = &progress_;
    jpeg_mem_src(&cinfo_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&cinfo_, TRUE);
    return true;
  }

  bool start(unsigned denominator) {
    if (setjmp(errors_.jump) != 0) return false;
    const J_COLOR_SPACE stored = cinfo_.jpeg_color_space;
    cinfo_.out_color_space = stored == JCS_GRAYSCALE                    ? JCS_GRAYSCALE
                             : stored == JCS_CMYK || stored == JCS_YCCK ? JCS_CMYK
                                                                        : JCS_RGB;
    cinfo_.scale_num = 1;
    cinfo_.scale_denom = denominator;
    jpeg_start_decompress(&cinfo_);
    return true;
  }

  // pixels: output_height rows of output_width * output_components bytes.
  bool read(std::uint8_t* pixels) {
    if (setjmp(errors_.jump) != 0) return false;
    const std::size_t stride = std::size_t{cinfo_.output_width} * static_cast<std::size_t>(cinfo_.output_components);
    while (cinfo_.output_scanline < cinfo_.output_height) {
      JSAMPROW row = pixels + cinfo_.output_scanline * stride;
      jpeg_read_scanlines(&cinfo_, &row, 1);
    }
    jpeg_finish_decompress(&cinfo_);  // reads on to the end marker: a file without one is truncated
    return true;
  }

 private:
  ErrorSink errors_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct cinfo_{};
  bool created_ = false;
};

// Adobe writes CMYK inverted (255 = no ink) and says so by its APP14 marker. Ink mixes by multiplication: R = (1 - C)(1 - K).
Image cmyk_to_rgb(std::uint32_t width, std::uint32_t height, std::span<const std::uint8_t> cmyk, bool inverted) {
  Image image = blank(width, height, 3);
  const std::uint8_t flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i) {
    const unsigned paper = cmyk[4 * i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[3 * i + c] = static_cast<std::uint8_t>(((cmyk[4 * i + c] ^ flip) * paper + 127) / 255);
    }
  }
  return image;
}

// The largest of 1, 2, 4, 8 that leaves both sides at least twice the target: area averaging then still sees every pixel it
// needs.
unsigned scale_for(const Header& header, std::uint32_t target_side) noexcept {
  if (target_side == 0) return 1;
  const std::uint64_t wanted = std::uint64_t{2} * target_side;
  for (unsigned denominator : {8u, 4u, 2u}) {
    if (header.width / denominator >= wanted && header.height / denominator >= wanted) return denominator;
  }
  return 1;
}

class Writer {
 public:
  Writer() {
    prepare(errors_);
    cinfo_.err = &errors_.base;
  }
  ~Writer() {
    if (created_) jpeg_destroy_compress(&cinfo_);
    std::free(buffer_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  bool run(const Image& image, int quality) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_compress(&cinfo_);
    created_ = true;
    jpeg_mem_dest(&cinfo_, &buffer_, &size_);
    cinfo_.image_width = image.width;
    cinfo_.image_height = image.height;
    cinfo_.input_components = static_cast<int>(image.channels);
    cinfo_.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo_);
    jpeg_set_quality(&cinfo_, quality, TRUE);
    jpeg_start_compress(&cinfo_, TRUE);
    const std::size_t stride = std::size_t{image.width} * image.channels;
    while (cinfo_.next_scanline < cinfo_.image_height) {
      // libjpeg's type is not const, but it only reads the rows.
      JSAMPROW row = const_cast<std::uint8_t*>(image.pixels.data()) + cinfo_.next_scanline * stride;
      jpeg_write_scanlines(&cinfo_, &row, 1);
    }
    jpeg_finish_compress(&cinfo_);
    return true;
  }
  const char* message() const noexcept { return errors_.message.data(); }
  std::span<const std::byte> result() const noexcept { return std::as_bytes(std::span(buffer_, size_)); }

 private:
  ErrorSink errors_;
  jpeg_compress_struct cinfo_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
  bool created_ = false;
};

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name, const Header& header, std::uint32_t target_side) {
  Reader reader;
  const auto check = [&](bool good) {
    if (good) return;
    if (reader.out_of_memory()) throw std::bad_alloc();
    if (reader.unsupported()) {
      fail(ErrorCode::kUnsupported, name, ": this JPEG is of a kind that signet does not read (", reader.message(),
           "); convert it to PNG");
    }
    fail(ErrorCode::kCorrupt, name, ": this JPEG is truncated or damaged (", reader.message(),
         "); a complete file would be right");
  };
  check(reader.begin(bytes));
  const jpeg_decompress_struct& info = reader.info();
  if (info.image_width != header.width || info.image_height != header.height) {
    fail(ErrorCode::kCorrupt, name, ": this JPEG gives two sizes, ", header.width, " x ", header.height, " and ",
         info.image_width, " x ", info.image_height);
  }
  check(reader.start(scale_for(header, target_side)));
  const std::uint32_t width = info.output_width, height = info.output_height;
  if (info.output_components == 4) {
    std::vector<std::uint8_t> cmyk(std::size_t{width} * height * 4);
    check(reader.read(cmyk.data()));
    return cmyk_to_rgb(width, height, cmyk, info.saw_Adobe_marker != 0);
  }
  Image image = blank(width, height, static_cast<std::uint32_t>(info.output_components));
  check(reader.read(image.pixels.data()));
  return image;
}

}  // namespace codec

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  codec::check_image(image, "encode_jpeg");
  if (quality < 1 || quality > 100) fail(ErrorCode::kInvalidArgument, "encode_jpeg: quality ", quality, " must be 1 to 100");
  if (image.width > JPEG_MAX_DIMENSION || image.height > JPEG_MAX_DIMENSION) {
    fail(ErrorCode::kInvalidArgument, "encode_jpeg: ", image.width, " x ", image.height, " is more than the ", JPEG_MAX_DIMENSION,
         " pixels a side that a JPEG can have");
  }
  codec::Writer writer;
  if (!writer.run(image, quality)) fail(ErrorCode::kInternal, "encode_jpeg: ", writer.message());
  const std::span<const std::byte> result = writer.result();
  return {result.begin(), result.end()};
}

}  // namespace signet
