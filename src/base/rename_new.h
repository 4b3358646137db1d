#pragma once

#include <string>

namespace signet {

// Renames unless the new name exists, as one step of the file system. Returns 0 or the error's number: EEXIST where it exists.
int rename_without_replacing(const std::string& from, const std::string& to) noexcept;

// The same where the file system has no such step (some network and user-space ones): a second name, then the first one goes, so
// that after a crash there may be both, never none. Where there are no hard links, or of a folder, the best that is left: looking
// first.
int rename_by_link(const std::string& from, const std::string& to) noexcept;

}  // namespace signet
