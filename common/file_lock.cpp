#include "common/file_lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "common/error.hpp"

namespace ditscale::common {

namespace {

FileDescriptor open_lock(const std::filesystem::path& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) throw errno_error("open", path.string());
  return fd;
}

}  // namespace

FileLock FileLock::acquire(const std::filesystem::path& path) {
  FileDescriptor fd = open_lock(path);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw errno_error("flock", path.string());
  }
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  FileDescriptor fd = open_lock(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw errno_error("flock", path.string());
}

bool FileLock::is_held(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return false;
  if (!fd.valid()) throw errno_error("open", path.string());
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return false;
  if (errno == EWOULDBLOCK) return true;
  throw errno_error("flock", path.string());
}

}  // namespace ditscale::common
