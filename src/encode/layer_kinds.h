#pragma once

#include <vector>

#include "signet/encode/network.h"

// What the sources of this room ask of a layer. Functions that take a whole network expect one whose operands precede their
// users.
namespace signet {

const char* layer_kind_name(LayerKind kind);  // "conv", for messages

constexpr bool has_weights(LayerKind kind) {
  return kind == LayerKind::kConv || kind == LayerKind::kLinear || kind == LayerKind::kRadial || kind == LayerKind::kTrees;
}
// Kinds that read their input as one vector and give a vector.
constexpr bool gives_vector(LayerKind kind) {
  return kind == LayerKind::kLinear || kind == LayerKind::kRadial || kind == LayerKind::kTrees;
}
// Kinds that models of format 1 do not have.
constexpr bool is_of_format_2(LayerKind kind) {
  return kind == LayerKind::kSine || kind == LayerKind::kRadial || kind == LayerKind::kTrees;
}
constexpr bool has_window(LayerKind kind) { return kind == LayerKind::kConv || kind == LayerKind::kMaxPool; }

// Kinds that look at height and width, so that their input must be a picture and not a vector.
constexpr bool needs_picture(LayerKind kind) {
  return has_window(kind) || kind == LayerKind::kGlobalMaxPool || kind == LayerKind::kGlobalAvgPool;
}

// The shape that an operand index stands for: layer `index`, or the network's input for -1.
LayerShape input_shape(const Network& network, const std::vector<LayerShape>& shapes, int index);

// Which layers give vectors: those that gives_vector() names, and what is elementwise after them.
std::vector<bool> vector_layers(const Network& network);

}  // namespace signet
