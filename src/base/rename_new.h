#pragma once

#include <unistd.h>

#include <string>

namespace signet {

// Renames unless the new name exists, as one step of the file system. Returns 0 or the error's number: EEXIST where it exists.
int rename_without_replacing(const std::string& from, const std::string& to) noexcept;

// The same where the file system has no such step (some network and user-space ones): a second name, then the first one goes, so
// that after a crash there may be both, never none; called again it goes on from there. Where there are no hard links, or of a
// folder, the best that is left: looking first. unlink: removes a name as unlink(2) does; for tests.
int rename_by_link(const std::string& from, const std::string& to, int (*unlink)(const char*) = ::unlink) noexcept;

// Whether this error of link(2) says that the file system has no hard links, or no more of them, or none of such a file.
bool means_no_links(int error) noexcept;

}  // namespace signet
