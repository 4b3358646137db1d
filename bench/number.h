#pragma once

#include <cstdlib>
#include <string>

#include "signet/base/error.h"

namespace signet::bench {

// The value of an option that counts something: 1 to `most`, which is given as messages print it, e.g. "1e12". So that 1e7 is a
// number, whole ones are read as real ones.
inline double positive_number(const std::string& flag, const std::string& text, const char* most) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !(value >= 1) || value > std::strtod(most, nullptr))
    fail(ErrorCode::kUsage, flag, " \"", text, "\" is not a number of 1 to ", most);
  return value;
}

}  // namespace signet::bench
