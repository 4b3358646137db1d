#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace signet {

// One report of a long operation. The library never prints; the caller draws this.
struct Progress {
  std::string stage;        // what is being done: "encode", "features", "joint"
  std::uint64_t done = 0;   // items finished in this stage
  std::uint64_t total = 0;  // items in this stage, 0 where unknown
  std::string detail;       // free text for people: "loss 0.412  1290 images/s  val mAP 0.871"
};

// Called from the thread that does the work, at most a few times a second. Returning false asks the operation to stop; it then
// leaves everything that it has acknowledged in place and throws Error{kCancelled}.
using ProgressFn = std::function<bool(const Progress&)>;

}  // namespace signet
