#include "learn/convolution.h"

#include <dnnl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "learn/clones.h"
#include "learn/element.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using at::Tensor;

constexpr at::MemoryFormat kLayout = at::MemoryFormat::ChannelsLast;
constexpr std::int64_t kOut = 4, kIn = 6;      // sides of a tile of outputs, and of the inputs it needs
constexpr std::int64_t kProducts = kIn * kIn;  // matrix products a tile takes part in
constexpr std::int64_t kRun = 64;              // channels transformed at a time: 36 runs of them stay in the first cache

// One line of a tile, a run of channels at each place. The matrices are Lavin & Gray's for the points 0, 1, -1, 2, -2, infinity;
// each loop is one of them times a vector of places.

// B': 6 inputs.
inline void input_line(const float* __restrict x0, const float* __restrict x1, const float* __restrict x2,
                       const float* __restrict x3, const float* __restrict x4, const float* __restrict x5, float* __restrict y0,
                       float* __restrict y1, float* __restrict y2, float* __restrict y3, float* __restrict y4,
                       float* __restrict y5, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) {
    const float even = x4[c] - 4 * x2[c], odd = x3[c] - 4 * x1[c], high = x4[c] - x2[c], low = 2 * (x3[c] - x1[c]);
    y0[c] = 4 * x0[c] - 5 * x2[c] + x4[c];
    y1[c] = even + odd;
    y2[c] = even - odd;
    y3[c] = high + low;
    y4[c] = high - low;
    y5[c] = 4 * x1[c] - 5 * x3[c] + x5[c];
  }
}

// A': 6 products to 4 outputs.
inline void output_line(const float* __restrict x0, const float* __restrict x1, const float* __restrict x2,
                        const float* __restrict x3, const float* __restrict x4, const float* __restrict x5, float* __restrict y0,
                        float* __restrict y1, float* __restrict y2, float* __restrict y3, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) {
    const float near = x1[c] + x2[c], nears = x1[c] - x2[c], far = x3[c] + x4[c], fars = x3[c] - x4[c];
    y0[c] = x0[c] + near + far;
    y1[c] = nears + 2 * fars;
    y2[c] = near + 4 * far;
    y3[c] = nears + 8 * fars + x5[c];
  }
}

// A: gradients of 4 outputs to those of 6 products.
inline void gradient_line(const float* __restrict x0, const float* __restrict x1, const float* __restrict x2,
                          const float* __restrict x3, float* __restrict y0, float* __restrict y1, float* __restrict y2,
                          float* __restrict y3, float* __restrict y4, float* __restrict y5, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) {
    const float even = x0[c] + x2[c], odd = x1[c] + x3[c], evens = x0[c] + 4 * x2[c], odds = 2 * x1[c] + 8 * x3[c];
    y0[c] = x0[c];
    y1[c] = even + odd;
    y2[c] = even - odd;
    y3[c] = evens + odds;
    y4[c] = evens - odds;
    y5[c] = x3[c];
  }
}

// Each transforms one tile, first its columns, then its rows. from and to: where the run of channels of each place begins.
using Places = std::array<const float*, kProducts>;
using Targets = std::array<float*, kProducts>;
using Scratch = std::array<float, kProducts * kRun>;

SIGNET_CLONES void transform_input(const Places& from, const Targets& to, Scratch& scratch, std::int64_t count) {
  const auto s = [&](std::int64_t place) { return scratch.data() + place * kRun; };
  for (std::int64_t j = 0; j < 6; ++j)
    input_line(from[j], from[6 + j], from[12 + j], from[18 + j], from[24 + j], from[30 + j], s(j), s(6 + j), s(12 + j), s(18 + j),
               s(24 + j), s(30 + j), count);
  for (std::int64_t i = 0; i < 36; i += 6)
    input_line(s(i), s(i + 1), s(i + 2), s(i + 3), s(i + 4), s(i + 5), to[i], to[i + 1], to[i + 2], to[i + 3], to[i + 4],
               to[i + 5], count);
}

SIGNET_CLONES void transform_output(const Places& from, const Targets& to, Scratch& scratch, std::int64_t count) {
  const auto s = [&](std::int64_t place) { return scratch.data() + place * kRun; };
  for (std::int64_t j = 0; j < 6; ++j)
    output_line(from[j], from[6 + j], from[12 + j], from[18 + j], from[24 + j], from[30 + j], s(j), s(6 + j), s(12 + j),
                s(18 + j), count);
  for (std::int64_t i = 0; i < 4; ++i)
    output_line(s(6 * i), s(6 * i + 1), s(6 * i + 2), s(6 * i + 3), s(6 * i + 4), s(6 * i + 5), to[4 * i], to[4 * i + 1],
                to[4 * i + 2], to[4 * i + 3], count);
}

SIGNET_CLONES void transform_gradient(const Places& from, const Targets& to, Scratch& scratch, std::int64_t count) {
  const auto s = [&](std::int64_t place) { return scratch.data() + place * kRun; };
  for (std::int64_t j = 0; j < 4; ++j)
    gradient_line(from[j], from[4 + j], from[8 + j], from[12 + j], s(j), s(4 + j), s(8 + j), s(12 + j), s(16 + j), s(20 + j),
                  count);
  for (std::int64_t i = 0; i < 6; ++i)
    gradient_line(s(4 * i), s(4 * i + 1), s(4 * i + 2), s(4 * i + 3), to[6 * i], to[6 * i + 1], to[6 * i + 2], to[6 * i + 3],
                  to[6 * i + 4], to[6 * i + 5], count);
}

// Images of h x w pixels cut into tiles of 4 x 4; those at the lower and right border may reach over it.
struct Tiling {
  std::int64_t images, height, width;

  std::int64_t columns() const { return (width + kOut - 1) / kOut; }
  std::int64_t rows() const { return (height + kOut - 1) / kOut; }
  std::int64_t count() const { return images * rows() * columns(); }
  // Whether tiles leave at most two thirds of the multiplications; on the smallest images most of a tile is border.
  bool pays() const { return 2 * 9 * height * width >= 3 * kProducts * rows() * columns(); }
};

// Where the pixels of one tile stand in an image tensor (channels last), from `border` above and left of its outputs: side x side
// offsets in numbers, or -1 outside of the image.
std::array<std::int64_t, kProducts> offsets(const Tiling& t, std::int64_t tile, std::int64_t side, std::int64_t border,
                                            std::int64_t channels) {
  const std::int64_t image = tile / (t.rows() * t.columns()), within = tile % (t.rows() * t.columns());
  const std::int64_t top = within / t.columns() * kOut - border, left = within % t.columns() * kOut - border;
  std::array<std::int64_t, kProducts> found{};
  for (std::int64_t i = 0; i < side; ++i) {
    for (std::int64_t j = 0; j < side; ++j) {
      const std::int64_t y = top + i, x = left + j;
      const bool inside = y >= 0 && y < t.height && x >= 0 && x < t.width;
      found[i * side + j] = inside ? ((image * t.height + y) * t.width + x) * channels : -1;
    }
  }
  return found;
}

using Numbers = std::vector<float>;

// What a thread needs beside its matrices: zeros to read outside of an image, places to write what belongs to no pixel.
struct Workspace {
  Scratch scratch{};
  std::array<float, kRun> zeros{};
  std::array<float, kOut * kOut * kRun> nowhere{};
};

// Tiles [begin, end) of an image tensor into 36 matrices of tiles x channels, one behind the other: inputs (6 x 6 pixels, B' d B)
// or gradients of outputs (4 x 4 pixels, A g A').
template <typename Transform>
void gather(const Tiling& t, const float* images, std::int64_t channels, std::int64_t begin, std::int64_t end, std::int64_t side,
            std::int64_t border, const Transform& transform, Workspace& w, Numbers& matrices) {
  const std::int64_t tiles = end - begin;
  for (std::int64_t tile = begin; tile < end; ++tile) {
    const auto at = offsets(t, tile, side, border, channels);
    for (std::int64_t c = 0; c < channels; c += kRun) {
      Places from{};
      Targets to{};
      for (std::int64_t p = 0; p < side * side; ++p) from[p] = at[p] < 0 ? w.zeros.data() : images + at[p] + c;
      for (std::int64_t p = 0; p < kProducts; ++p) to[p] = matrices.data() + (p * tiles + tile - begin) * channels + c;
      transform(from, to, w.scratch, std::min(kRun, channels - c));
    }
  }
}

void gather_inputs(const Tiling& t, const float* images, std::int64_t channels, std::int64_t begin, std::int64_t end,
                   Workspace& w, Numbers& matrices) {
  gather(t, images, channels, begin, end, kIn, 1, transform_input, w, matrices);
}

// 36 matrices of tiles x channels into the pixels of tiles [begin, end): A' m A.
void scatter_outputs(const Tiling& t, const Numbers& matrices, std::int64_t channels, std::int64_t begin, std::int64_t end,
                     Workspace& w, float* images) {
  const std::int64_t tiles = end - begin;
  for (std::int64_t tile = begin; tile < end; ++tile) {
    const auto at = offsets(t, tile, kOut, 0, channels);
    for (std::int64_t c = 0; c < channels; c += kRun) {
      Places from{};
      Targets to{};
      for (std::int64_t p = 0; p < kProducts; ++p) from[p] = matrices.data() + (p * tiles + tile - begin) * channels + c;
      for (std::int64_t p = 0; p < kOut * kOut; ++p) to[p] = at[p] < 0 ? w.nowhere.data() + p * kRun : images + at[p] + c;
      transform_output(from, to, w.scratch, std::min(kRun, channels - c));
    }
  }
}

// Tiles worked on at once: some 1 MiB of matrices, but never fewer than 64 rows, as packing the other factor would cost too much.
std::int64_t tiles_at_once(const Tiling& t, std::int64_t in, std::int64_t out) {
  constexpr std::int64_t kNumbers = 1 << 18;
  return std::min(std::max<std::int64_t>(1, t.count()), std::max<std::int64_t>(64, kNumbers / (kProducts * (in + out))));
}

// Calls act(begin, end) for runs of `at_once` tiles, in as many threads as libtorch has, each with at least `grain` tiles;
// make_act is called once a thread.
template <typename MakeAct>
void for_runs_of_tiles(const Tiling& t, std::int64_t at_once, std::int64_t grain, const MakeAct& make_act) {
  at::parallel_for(0, t.count(), grain, [&](std::int64_t begin, std::int64_t end) {
    auto act = make_act();
    for (std::int64_t i = begin; i < end; i += at_once) act(i, std::min(end, i + at_once));
  });
}

// c = a b, or with kAdd c += a' b: matrices in rows, m x n of k products each. One thread, as it is called from many.
enum class Product { kSet, kAdd };
void multiply(Product product, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, const float* b, float* c) {
  const bool add = product == Product::kAdd;
  const dnnl_status_t status = dnnl_sgemm(add ? 'T' : 'N', 'N', m, n, k, 1, a, add ? m : k, b, n, add ? 1.0f : 0.0f, c, n);
  if (status != dnnl_success) fail(ErrorCode::kInternal, "oneDNN's matrix product failed with status ", static_cast<int>(status));
}

Tiling tiling_of(const Tensor& x) { return {x.size(0), x.size(2), x.size(3)}; }

// G' g G of filters (o, c, 3, 3): 36 matrices of c x o.
Tensor transformed_filters(const Tensor& weight) {
  const auto lines = [](const Tensor& g) {  // along the first dimension
    const Tensor even = (g[0] + g[2]) / 6, odd = g[1] / 6, evens = g[0] / 24 + g[2] / 6, odds = g[1] / 12;
    return at::stack({g[0] / 4, -even - odd, odd - even, evens + odds, evens - odds, g[2]});
  };
  return lines(lines(weight.permute({2, 3, 1, 0})).transpose(0, 1)).transpose(0, 1).contiguous();
}

// The transpose of the above: gradients of 36 matrices of c x o to those of filters (o, c, 3, 3).
Tensor filter_gradient(const Tensor& matrices) {
  const auto lines = [](const Tensor& u) {
    const Tensor near = (u[1] + u[2]) / 6, far = u[3] + u[4];
    return at::stack({u[0] / 4 - near + far / 24, (u[2] - u[1]) / 6 + (u[3] - u[4]) / 12, far / 6 - near + u[5]});
  };
  return lines(lines(matrices).transpose(0, 1)).transpose(0, 1).permute({3, 2, 0, 1}).contiguous();
}

Tensor convolve(const Tensor& x, const Tensor& weight) {
  const Tiling t = tiling_of(x);
  const std::int64_t in = weight.size(1), out = weight.size(0), at_once = tiles_at_once(t, in, out);
  const Tensor filters = transformed_filters(weight), y = at::empty({x.size(0), out, x.size(2), x.size(3)}, x.options(), kLayout);
  for_runs_of_tiles(t, at_once, at_once, [&] {
    return [&, v = Numbers(kProducts * at_once * in), m = Numbers(kProducts * at_once * out), w = Workspace()](
               std::int64_t begin, std::int64_t end) mutable {
      const std::int64_t tiles = end - begin;
      gather_inputs(t, data<const float>(x), in, begin, end, w, v);
      for (std::int64_t p = 0; p < kProducts; ++p)
        multiply(Product::kSet, tiles, out, in, v.data() + p * tiles * in, data<const float>(filters) + p * in * out,
                 m.data() + p * tiles * out);
      scatter_outputs(t, m, out, begin, end, w, data<float>(y));
    };
  });
  return y;
}

Tensor weight_gradient(const Tensor& x, const Tensor& gradient) {
  const Tiling t = tiling_of(x);
  const std::int64_t in = x.size(1), out = gradient.size(1), at_once = tiles_at_once(t, in, out);
  constexpr std::int64_t kMostSums = 16;  // each as large as 36 matrices of in x out, a thread each
  std::vector<Numbers> sums(static_cast<std::size_t>(at::get_num_threads()));
  for_runs_of_tiles(t, at_once, std::max(at_once, (t.count() + kMostSums - 1) / kMostSums), [&] {
    Numbers& sum = sums.at(static_cast<std::size_t>(at::get_thread_num()));
    sum.resize(static_cast<std::size_t>(kProducts * in * out));
    return [&, v = Numbers(kProducts * at_once * in), e = Numbers(kProducts * at_once * out), w = Workspace()](
               std::int64_t begin, std::int64_t end) mutable {
      const std::int64_t tiles = end - begin;
      gather_inputs(t, data<const float>(x), in, begin, end, w, v);
      gather(t, data<const float>(gradient), out, begin, end, kOut, 0, transform_gradient, w, e);
      for (std::int64_t p = 0; p < kProducts; ++p)
        multiply(Product::kAdd, in, out, tiles, v.data() + p * tiles * in, e.data() + p * tiles * out, sum.data() + p * in * out);
    };
  });
  Tensor whole = at::zeros({kIn, kIn, in, out}, x.options());
  for (Numbers& sum : sums)
    if (!sum.empty()) whole.add_(at::from_blob(sum.data(), whole.sizes()));
  return filter_gradient(whole);
}

struct WinogradConv : torch::autograd::Function<WinogradConv> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight) {
    context->save_for_backward({x, weight});
    return convolve(x, weight);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outputs) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], gradient = outputs[0].contiguous(kLayout);
    Tensor of_x, of_weight;
    // y is a convolution of x, so x's gradient is one of y's gradient with the filters turned by half a turn.
    if (context->needs_input_grad(0)) of_x = convolve(gradient, weight.flip({2, 3}).transpose(0, 1));
    if (context->needs_input_grad(1)) of_weight = weight_gradient(x, gradient);
    return {of_x, of_weight};
  }
};

}  // namespace

Tensor winograd_conv3x3(const Tensor& x, const Tensor& weight) {
  const auto is_float = [](const Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.dim() == 4; };
  const auto fills_vectors = [](std::int64_t channels) { return channels > 0 && channels % 8 == 0; };
  const bool ours = is_float(x) && is_float(weight) && x.is_contiguous(kLayout) && fills_vectors(x.size(1)) &&
                    fills_vectors(weight.size(0)) && weight.sizes() == at::IntArrayRef({weight.size(0), x.size(1), 3, 3}) &&
                    tiling_of(x).pays();
  return ours ? WinogradConv::apply(x, weight) : at::conv2d(x, weight, {}, 1, 1);
}

}  // namespace signet
