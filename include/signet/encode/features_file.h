#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/encode/model.h"

namespace signet {

// The trained first stage, *.features (docs/format/features.md): tensors for training to go on from, and the same network as a
// model for those who want its features alone.
inline constexpr const char* kFeaturesKind = "SFEA";
inline constexpr std::uint32_t kFeaturesVersion = 1;
inline constexpr const char* kFeaturesModelSection = "model";

struct FeaturesSource {
  Model model;
  bool first_stage = false;        // of a *.features file: its code says nothing, its hash layer was not trained yet
  std::uint64_t image_passes = 0;  // of training, and the time they took; 0 where the file does not say
  double seconds = 0;
};

// The bytes that write_model() writes, for the section "model"; `name` stands for the path in messages. Throws as it does.
std::vector<std::byte> model_bytes(const Model& model, const std::string& name);

// Reads a model file (read_model) or a *.features file; which of the two is seen by its first bytes. Throws as read_model and
// Container::open; kUnsupported for a *.features file of an earlier signet, which holds tensors alone.
FeaturesSource read_features_source(FileSystem& fs, const std::string& path);

}  // namespace signet
