#pragma once

namespace signet::cli {

// "0.1.0+9100b5a1c2d3": the version and the commit that this program was built from, with ".changed" behind it where tracked
// files were not as committed. Without a git repository at hand the version alone.
const char* full_version();

}  // namespace signet::cli
