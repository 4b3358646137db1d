#include <algorithm>
#include <cmath>

#include "signet/base/error.h"
#include "signet/encode/model.h"
#include "signet/image/alter.h"
#include "signet/image/gist.h"

namespace signet {
namespace {

void check_image(const Image& image) {
  const bool sound = image.width >= 1 && image.height >= 1 && (image.channels == 1 || image.channels == 3) &&
                     image.pixels.size() == std::size_t{image.width} * image.height * image.channels;
  if (!sound) {
    fail(ErrorCode::kInvalidArgument, "an image of ", image.width, " x ", image.height, " x ", image.channels, " with ",
         image.pixels.size(), " bytes of pixels: width and height must be at least 1, channels 1 or 3, the bytes their product");
  }
}

void normalise(const Image& image, const Preprocessing& how, float* target, bool mirrored) {
  for (std::uint32_t c = 0; c < how.channels; ++c) {
    const std::array<float, 256> table = normalised_values(how, c);
    for (std::uint32_t y = 0; y < how.height; ++y) {
      const std::uint8_t* row = image.row(y).data() + c;
      if (mirrored) {
        for (std::uint32_t x = how.width; x-- > 0;) *target++ = table[row[std::size_t{x} * how.channels]];
      } else {
        for (std::uint32_t x = 0; x < how.width; ++x) *target++ = table[row[std::size_t{x} * how.channels]];
      }
    }
  }
}

bool fits(const Image& image, const Preprocessing& how) {
  return image.width == how.width && image.height == how.height && image.channels == how.channels;
}

}  // namespace

void check_preprocessing(const Preprocessing& how, const std::string& what) {
  if (how.width < 1 || how.width > kMaxImageSide || how.height < 1 || how.height > kMaxImageSide) {
    fail(ErrorCode::kInvalidArgument, what, ": the preprocessing's size is ", how.width, " x ", how.height,
         ", each must be 1 to ", kMaxImageSide);
  }
  if (how.channels != 1 && how.channels != 3) {
    fail(ErrorCode::kInvalidArgument, what, ": the preprocessing has ", how.channels, " channels, it must have 1 or 3");
  }
  if (how.mean.size() != how.channels || how.std.size() != how.channels) {
    fail(ErrorCode::kInvalidArgument, what, ": the preprocessing has ", how.mean.size(), " means and ", how.std.size(),
         " standard deviations for ", how.channels, " channels");
  }
  if (how.descriptor != Descriptor::kPixels) {
    const auto all = [](const std::vector<float>& values, float v) { return values == std::vector<float>(values.size(), v); };
    if (!all(how.mean, 0.0f) || !all(how.std, 1.0f))
      fail(ErrorCode::kInvalidArgument, what, ": a descriptor is of pixels as they are, with mean 0 and standard deviation 1");
    if (how.descriptor == Descriptor::kGist && (how.width != kGistSide || how.height != kGistSide))
      fail(ErrorCode::kInvalidArgument, what, ": GIST is of pictures of ", kGistSide, " x ", kGistSide, ", not of ", how.width,
           " x ", how.height);
  }
  for (std::size_t c = 0; c < how.channels; ++c) {
    if (!std::isfinite(how.mean[c]) || !std::isfinite(how.std[c]) || !(how.std[c] >= 1e-6f)) {
      fail(ErrorCode::kInvalidArgument, what, ": the preprocessing's mean ", how.mean[c], " and standard deviation ", how.std[c],
           " of channel ", c, " must be finite, the latter at least 1e-6");
    }
  }
}

LayerShape Preprocessing::shape() const noexcept {
  if (descriptor == Descriptor::kGist) return {kGistSize, 1, 1};
  if (descriptor == Descriptor::kHash) return {kPictureHashBits, 1, 1};
  return {channels, height, width};
}

void check_input(const Preprocessing& how, const Network& network) {
  const LayerShape given = how.shape();
  if (given.c == network.channels && given.h == network.height && given.w == network.width) return;
  fail(ErrorCode::kInvalidArgument, "the preprocessing gives ", given.c, " x ", given.h, " x ", given.w, ", the network takes ",
       network.channels, " x ", network.height, " x ", network.width);
}

Image to_input_geometry(const Image& image, const Preprocessing& how) {
  check_image(image);
  if (fits(image, how)) return image;
  // Geometry first: it usually shrinks, and converting fewer pixels is cheaper.
  const bool right_size = image.width == how.width && image.height == how.height;
  const Image sized = right_size                ? image
                      : how.width == how.height ? centre_square(image, how.width)
                                                : resize(image, how.width, how.height);
  return sized.channels == how.channels ? sized : convert_channels(sized, how.channels);
}

std::array<float, 256> normalised_values(const Preprocessing& how, std::size_t channel) {
  std::array<float, 256> values;
  for (std::size_t v = 0; v < values.size(); ++v)
    values[v] = (static_cast<float>(v) / 255.0f - how.mean[channel]) / how.std[channel];
  return values;
}

void preprocess(const Image& image, const Preprocessing& how, float* target, bool mirrored) {
  if (how.descriptor == Descriptor::kGist) {
    const Image sized = to_input_geometry(image, how);
    gist(mirrored ? mirror(sized) : sized, {target, kGistSize});
  } else if (how.descriptor == Descriptor::kHash) {
    check_image(image);
    const auto values = picture_hash_values(mirrored ? mirror(image) : image, how.hash);
    std::copy(values.begin(), values.end(), target);
  } else if (fits(image, how)) {
    check_image(image);
    normalise(image, how, target, mirrored);
  } else {
    normalise(to_input_geometry(image, how), how, target, mirrored);
  }
}

}  // namespace signet
