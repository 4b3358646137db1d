#include <string>
#include <utility>

#include "signet/base/error.h"
#include "signet/encode/model.h"

namespace signet {

Model shorten(Model model, std::uint32_t bits) {
  if (bits < 1 || bits > model.info.bits)
    fail(ErrorCode::kInvalidArgument, "codes of ", bits, " bits cannot be the beginning of this model's ", model.info.bits,
         " bits");
  if (bits == model.info.bits) return model;
  Network& network = model.network;
  const auto hash = static_cast<std::size_t>(network.hash);
  const Layer& whole = network.layers.at(hash);
  if (whole.kind != LayerKind::kLinear)
    fail(ErrorCode::kUnsupported, "only a model whose hash layer is linear can be shortened, and layer ", hash,
         " of this one is not");
  Layer cut = whole;
  cut.out = bits;
  cut.weight.resize(whole.weight.size() / whole.out * bits);
  cut.bias.resize(bits);
  bool read = false;  // by another layer, as a classifier on all bits does
  for (const Layer& layer : network.layers)
    read = read || layer.input == network.hash || (layer.kind == LayerKind::kAdd && layer.other == network.hash);
  if (read) {
    network.hash = static_cast<int>(network.layers.size());
    network.layers.push_back(std::move(cut));
  } else {
    network.layers[hash] = std::move(cut);
  }
  model.info.bits = bits;
  model.info.fingerprint = model_fingerprint(network, model.info.preprocessing);
  return model;
}

}  // namespace signet
