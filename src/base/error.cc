#include "signet/base/error.h"

namespace signet {

int exit_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUsage:
      return 2;
    case ErrorCode::kInternal:
      return 4;
    case ErrorCode::kCancelled:
      return 130;
    default:
      return 3;
  }
}

}  // namespace signet
