#include "base/rename_new.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "signet/base/file_system.h"

namespace signet {
namespace {

int rename_after_looking(const std::string& from, const std::string& to) noexcept {
  struct stat info {};
  if (::lstat(to.c_str(), &info) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

// Whether both name the same file and are two names of it: one name in two spellings is one.
bool are_two_names(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  const auto same = [&] { return one.st_dev == other.st_dev && one.st_ino == other.st_ino; };
  if (::lstat(a.c_str(), &one) != 0 || ::lstat(b.c_str(), &other) != 0 || !same() || one.st_nlink < 2) return false;
  if (file_name(a) != file_name(b)) return true;
  return ::stat(parent_path(a).c_str(), &one) == 0 && ::stat(parent_path(b).c_str(), &other) == 0 && !same();
}

}  // namespace

int rename_without_replacing(const std::string& from, const std::string& to) noexcept {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  const bool unknown = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
  return unknown ? rename_by_link(from, to) : errno;
}

int rename_by_link(const std::string& from, const std::string& to, int (*unlink)(const char*)) noexcept {
  const int link_error = ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  const bool goes_on = link_error == EEXIST && are_two_names(from, to);
  if (link_error != 0 && !goes_on) return means_no_links(link_error) ? rename_after_looking(from, to) : link_error;
  // ENOENT: the name is gone, also where a server removed it and its answer was lost.
  if (unlink(from.c_str()) == 0 || errno == ENOENT) return 0;
  const int error = errno;
  // Only while the first name is seen to be there: the second one may be the last that the file has.
  if (link_error == 0 && are_two_names(from, to)) ::unlink(to.c_str());
  return error;
}

bool means_no_links(int error) noexcept { return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK; }

}  // namespace signet
