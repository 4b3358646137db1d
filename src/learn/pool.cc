#include "learn/pool.h"

#include <algorithm>
#include <cstdint>

#include "learn/clones.h"
#include "learn/element.h"

namespace signet {
namespace {

using at::Tensor;

constexpr at::MemoryFormat kLayout = at::MemoryFormat::ChannelsLast;

// A window's four pixels in the order of rows, each a run of channels in memory: as arguments, since the compiler takes them for
// separate memory (__restrict) only there.
template <typename T>
inline void forward_loop(const T* __restrict x0, const T* __restrict x1, const T* __restrict x2, const T* __restrict x3,
                         T* __restrict y, std::uint8_t* __restrict place, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c) {
    float most = load(x0[c]);
    std::uint32_t where = 0;
    const auto consider = [&](float v, std::uint32_t here) {
      const bool taken = (v > most) | (v != v);  // not ||: a branch is not vectorised
      most = taken ? v : most;
      where = taken ? here : where;
    };
    consider(load(x1[c]), 1);
    consider(load(x2[c]), 2);
    consider(load(x3[c]), 3);
    store(most, y[c]);
    place[c] = static_cast<std::uint8_t>(where);
  }
}

template <typename T>
inline void backward_loop(const T* __restrict gradient, const std::uint8_t* __restrict place, T* __restrict x0, T* __restrict x1,
                          T* __restrict x2, T* __restrict x3, std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const T g = gradient[c];
    const std::uint8_t where = place[c];
    x0[c] = where == 0 ? g : T{0};
    x1[c] = where == 1 ? g : T{0};
    x2[c] = where == 2 ? g : T{0};
    x3[c] = where == 3 ? g : T{0};
  }
}

SIGNET_CLONES void forward(const float* x0, const float* x1, const float* x2, const float* x3, float* y, std::uint8_t* place,
                           std::int64_t channels) {
  forward_loop(x0, x1, x2, x3, y, place, channels);
}
SIGNET_CLONES void forward(const std::uint16_t* x0, const std::uint16_t* x1, const std::uint16_t* x2, const std::uint16_t* x3,
                           std::uint16_t* y, std::uint8_t* place, std::int64_t channels) {
  forward_loop(x0, x1, x2, x3, y, place, channels);
}
SIGNET_CLONES void backward(const float* gradient, const std::uint8_t* place, float* x0, float* x1, float* x2, float* x3,
                            std::int64_t channels) {
  backward_loop(gradient, place, x0, x1, x2, x3, channels);
}
SIGNET_CLONES void backward(const std::uint16_t* gradient, const std::uint8_t* place, std::uint16_t* x0, std::uint16_t* x1,
                            std::uint16_t* x2, std::uint16_t* x3, std::int64_t channels) {
  backward_loop(gradient, place, x0, x1, x2, x3, channels);
}

// Sizes of the large side; elements of a row and of half as many pixels.
struct Sizes {
  std::int64_t images, channels, height, width;

  std::int64_t row() const { return width * channels; }
  std::int64_t pooled_row() const { return width / 2 * channels; }
};

Sizes sizes_of(const Tensor& x) { return {x.size(0), x.size(1), x.size(2), x.size(3)}; }

// Calls act(top, row of the pooled side) for every pair of rows; top: the upper row of the large side.
template <typename Act>
void for_each_pair_of_rows(const Sizes& s, const Act& act) {
  const std::int64_t pairs = s.height / 2, grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, s.row()));
  at::parallel_for(0, s.images * pairs, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) act(i / pairs * s.height + i % pairs * 2, i);
  });
}

template <typename T>
void forward_all(const Tensor& x, const Tensor& y, const Tensor& places) {
  const Sizes s = sizes_of(x);
  for_each_pair_of_rows(s, [&](std::int64_t top, std::int64_t pooled) {
    const T* in = data<const T>(x) + top * s.row();
    for (std::int64_t i = 0; i < s.width / 2; ++i, in += 2 * s.channels) {
      const std::int64_t to = pooled * s.pooled_row() + i * s.channels;
      forward(in, in + s.channels, in + s.row(), in + s.row() + s.channels, data<T>(y) + to, data<std::uint8_t>(places) + to,
              s.channels);
    }
  });
}

template <typename T>
void backward_all(const Tensor& gradient, const Tensor& places, const Tensor& target) {
  const Sizes s = sizes_of(target);
  for_each_pair_of_rows(s, [&](std::int64_t top, std::int64_t pooled) {
    T* out = data<T>(target) + top * s.row();
    for (std::int64_t i = 0; i < s.width / 2; ++i, out += 2 * s.channels) {
      const std::int64_t from = pooled * s.pooled_row() + i * s.channels;
      backward(data<const T>(gradient) + from, data<const std::uint8_t>(places) + from, out, out + s.channels, out + s.row(),
               out + s.row() + s.channels, s.channels);
    }
  });
}

struct MaxPool : torch::autograd::Function<MaxPool> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x) {
    Tensor y = at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options(), kLayout);
    const Tensor places = at::empty(y.sizes(), x.options().dtype(at::kByte), kLayout);
    x.scalar_type() == at::kFloat ? forward_all<float>(x, y, places) : forward_all<std::uint16_t>(x, y, places);
    context->save_for_backward({places});
    context->saved_data["size"] = x.sizes();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outputs) {
    const Tensor places = context->get_saved_variables()[0], gradient = outputs[0].contiguous(kLayout);
    const std::vector<std::int64_t> size = context->saved_data["size"].toIntVector();
    const Tensor target = at::empty(size, gradient.options(), kLayout);
    if (size[2] % 2 != 0 || size[3] % 2 != 0) target.zero_();  // the row or column left out
    gradient.scalar_type() == at::kFloat ? backward_all<float>(gradient, places, target)
                                         : backward_all<std::uint16_t>(gradient, places, target);
    return {target};
  }
};

}  // namespace

Tensor fast_max_pool(const Tensor& x) {
  const bool ours = has_our_elements(x) && x.dim() == 4 && x.is_contiguous(kLayout);
  return ours ? MaxPool::apply(x) : at::max_pool2d(x, 2);
}

}  // namespace signet
