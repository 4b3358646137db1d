#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include "signet/base/error.h"

namespace signet {

// A thread that runs `run`. Throws kIo where the system gives none.
template <typename Run>
std::thread start_thread(Run run) {
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error& error) {
    fail(ErrorCode::kIo, "a thread cannot be started (", error.what(),
         "); the process needs more memory or a higher limit on threads (ulimit -v, ulimit -u)");
  }
}

}  // namespace signet
