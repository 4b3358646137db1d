#include "index/packed_array.h"

#include <sys/mman.h>

#include <limits>
#include <new>

namespace signet {

BigWords::BigWords(std::size_t words) : words_(words) {
  if (words == 0) return;
  if (words > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(std::uint64_t)) throw std::bad_alloc();
  const std::size_t bytes = words * sizeof(std::uint64_t);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (bytes >= std::size_t{4} << 20) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: nothing depends on it being granted
#endif
  data_ = std::unique_ptr<std::uint64_t[], UnmapWords>(static_cast<std::uint64_t*>(memory), UnmapWords{bytes});
}

void UnmapWords::operator()(std::uint64_t* words) const noexcept { ::munmap(words, bytes); }

}  // namespace signet
