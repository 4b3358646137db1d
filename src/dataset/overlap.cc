#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/sha256.h"
#include "signet/base/thread_pool.h"
#include "signet/dataset/dataset.h"

namespace signet {
namespace {

// Empty for an image that cannot be read: it equals none.
std::vector<std::string> digests(const Dataset& dataset, ThreadPool& pool) {
  std::vector<std::string> result(dataset.size());
  pool.parallel_for(dataset.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      try {
        result[i] = pixel_digest(dataset.get(i).image);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kBusy) throw;  // no memory for it now: it may well equal another one
      }
    }
  });
  return result;
}

}  // namespace

std::string pixel_digest(const Image& image) {
  std::array<std::byte, 12> head{};
  const std::array<std::uint32_t, 3> sizes{image.width, image.height, image.channels};
  for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<std::byte>(sizes[i / 4] >> (8 * (i % 4)));
  Sha256 sha;
  sha.update(head);
  sha.update(std::as_bytes(std::span(image.pixels)));
  return sha.hex();
}

std::vector<Overlap> find_overlap(const Dataset& a, const Dataset& b, std::size_t limit) {
  std::vector<Overlap> found;
  if (limit == 0 || a.size() == 0 || b.size() == 0) return found;
  ThreadPool pool(0);
  const std::vector<std::string> first = digests(a, pool), others = &a == &b ? std::vector<std::string>() : digests(b, pool);
  const std::vector<std::string>& second = &a == &b ? first : others;  // one data set is read once
  std::unordered_map<std::string, std::size_t> positions;
  for (std::size_t j = 0; j < second.size(); ++j)
    if (!second[j].empty()) positions.try_emplace(second[j], j);
  for (std::size_t i = 0; i < first.size() && found.size() < limit; ++i)
    if (const auto same = positions.find(first[i]); same != positions.end()) found.push_back({i, same->second});
  return found;
}

}  // namespace signet
