#include "signet/image/augment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

// Streams of one image's seed, so that turning one augmentation on does not move another.
enum Stream : std::uint64_t { kMirrorStream = 0x6d6972726f72, kTranslateStream = 0x7472616e73, kCutoutStream = 0x6375746f7574 };

// Uniform over [0, n) from 64 random bits: multiply-shift; its bias is below n / 2^64.
std::uint32_t pick(std::uint64_t random, std::uint32_t n) noexcept {
  return static_cast<std::uint32_t>(((random >> 32) * n) >> 32);
}

// Reflection without repeating the border, as of NumPy's pad mode "reflect". Needs |overhang| < n.
std::ptrdiff_t reflect(std::ptrdiff_t i, std::ptrdiff_t n) noexcept { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; }

// Copies one row shifted by dx: target[x] = source[reflect(x + dx)], mirrored afterwards where asked.
template <std::size_t kChannels>
void shift_row(const std::uint8_t* source, std::uint8_t* target, std::ptrdiff_t width, std::ptrdiff_t dx, bool mirror) noexcept {
  if (!mirror) {
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, -dx), end = std::min(width, width - dx);  // where x + dx is inside
    for (std::ptrdiff_t x = 0; x < begin; ++x)
      std::memcpy(target + x * kChannels, source + reflect(x + dx, width) * kChannels, kChannels);
    std::memcpy(target + begin * kChannels, source + (begin + dx) * kChannels, static_cast<std::size_t>(end - begin) * kChannels);
    for (std::ptrdiff_t x = end; x < width; ++x)
      std::memcpy(target + x * kChannels, source + reflect(x + dx, width) * kChannels, kChannels);
    return;
  }
  for (std::ptrdiff_t x = 0; x < width; ++x) {
    std::memcpy(target + (width - 1 - x) * kChannels, source + reflect(x + dx, width) * kChannels, kChannels);
  }
}

void check(std::size_t source, std::size_t target, std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  const std::size_t wanted = std::size_t{width} * height * channels;
  if (width == 0 || height == 0 || (channels != 1 && channels != 3) || source != wanted || target != wanted) {
    fail(ErrorCode::kInvalidArgument, "augment: ", source, " bytes to ", target, " bytes for an image of ", width, " x ", height,
         " x ", channels, "; width * height * channels on both sides and 1 or 3 channels would be right");
  }
}

}  // namespace

void augment(std::span<const std::uint8_t> source, std::uint32_t width, std::uint32_t height, std::uint32_t channels,
             const AugmentOptions& options, std::uint64_t image_seed, std::uint64_t epoch, std::span<std::uint8_t> target,
             std::uint8_t fill) {
  check(source.size(), target.size(), width, height, channels);
  const std::uint64_t epoch_seed = mix_seed(image_seed, epoch);
  const bool mirror = options.mirror && ((mix_seed(image_seed, kMirrorStream) ^ epoch) & 1) != 0;
  const std::ptrdiff_t w = width, h = height;
  std::ptrdiff_t dx = 0, dy = 0;
  if (options.translate > 0) {
    // A side of n pixels can be reflected by at most n - 1.
    const std::uint32_t tx = std::min(options.translate, width - 1), ty = std::min(options.translate, height - 1);
    const std::uint64_t random = mix_seed(epoch_seed, kTranslateStream);
    dx = static_cast<std::ptrdiff_t>(pick(random, 2 * tx + 1)) - tx;
    dy = static_cast<std::ptrdiff_t>(pick(random << 32, 2 * ty + 1)) - ty;
  }
  const std::size_t stride = std::size_t{width} * channels;
  for (std::ptrdiff_t y = 0; y < h; ++y) {
    const std::uint8_t* from = source.data() + static_cast<std::size_t>(reflect(y + dy, h)) * stride;
    std::uint8_t* to = target.data() + static_cast<std::size_t>(y) * stride;
    if (channels == 1) {
      shift_row<1>(from, to, w, dx, mirror);
    } else {
      shift_row<3>(from, to, w, dx, mirror);
    }
  }
  if (options.cutout > 0) {
    const std::uint32_t cut_w = std::min(options.cutout, width), cut_h = std::min(options.cutout, height);
    const std::uint64_t random = mix_seed(epoch_seed, kCutoutStream);
    const std::size_t left = pick(random, width - cut_w + 1), top = pick(random << 32, height - cut_h + 1);
    for (std::size_t y = top; y < top + cut_h; ++y)
      std::memset(target.data() + y * stride + left * channels, fill, std::size_t{cut_w} * channels);
  }
}

}  // namespace signet
