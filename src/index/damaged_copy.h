#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "signet/base/container.h"

// For tests: files with right checksums and wrong content, as a faulty or malicious writer makes them.
namespace signet {

using Damage = std::function<void(const std::string& section, std::vector<std::byte>& bytes)>;

inline void no_damage(const std::string&, std::vector<std::byte>&) {}

// Writes the sections of `from` to `to`, each as `damage` leaves it, and opens that.
inline std::shared_ptr<const Container> damaged_copy(FileSystem& files, const std::string& from, const std::string& to,
                                                     const char* kind, const Damage& damage) {
  const auto good = Container::open(files, from, kind, 1);
  ContainerWriter writer(files, to, kind, 1);
  for (const std::string& section : good->names()) {
    std::vector<std::byte> bytes(good->section(section).begin(), good->section(section).end());
    damage(section, bytes);
    writer.begin_section(section);
    writer.append(bytes);
  }
  writer.finish();
  return Container::open(files, to, kind, 1);
}

}  // namespace signet
