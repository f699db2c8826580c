#include "common/atomic_file.hpp"

#include <atomic>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/file_descriptor.hpp"

namespace ditscale::common {

namespace fs = std::filesystem;

namespace {

FileDescriptor open_or_throw(const fs::path& path, int flags, mode_t mode = 0644) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) throw errno_error("open", path.string());
  return fd;
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw errno_error("write", path.string());
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync(const FileDescriptor& fd, const fs::path& path) {
  if (::fsync(fd.get()) != 0) throw errno_error("fsync", path.string());
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// A device, a pipe or a socket: what is written goes through it, and no other file may take its name.
bool is_special(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

void rename_or_throw(const fs::path& temporary, const fs::path& path) {
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw errno_error("rename to", path.string());
}

void rename_durably(const fs::path& temporary, const fs::path& path) {
  rename_or_throw(temporary, path);
  sync(open_or_throw(folder_of(path), O_RDONLY | O_DIRECTORY), folder_of(path));
}

/// Writes a neighbour of `path` and lets `publish` put it into place; takes it away again when that fails. What is
/// special is written to itself.
template <typename Publish>
void write_then(const fs::path& path, std::string_view bytes, Publish&& publish) {
  if (is_special(path)) return write_all(open_or_throw(path, O_WRONLY).get(), bytes, path);
  // Two threads may write the same file: each needs a temporary name of its own.
  static std::atomic<unsigned> next{0};
  const fs::path temporary = fmt::format("{}-{}", temporary_name(path).string(), next++);
  try {
    const FileDescriptor fd = open_or_throw(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(fd.get(), bytes, temporary);
    publish(fd, temporary);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace

fs::path temporary_name(const fs::path& path) {
  return folder_of(path) / fmt::format(".{}.tmp-{}", path.filename().string(), ::getpid());
}

void publish_file(const fs::path& temporary, const fs::path& path) {
  if (is_special(path)) throw SystemError(fmt::format("{}: a regular file is needed", path.string()));
  sync(open_or_throw(temporary, O_RDONLY), temporary);
  rename_durably(temporary, path);
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  write_then(path, bytes, [&](const FileDescriptor& fd, const fs::path& temporary) {
    sync(fd, temporary);
    rename_durably(temporary, path);
  });
}

void replace_file(const fs::path& path, std::string_view bytes) {
  write_then(path, bytes, [&](const FileDescriptor&, const fs::path& temporary) { rename_or_throw(temporary, path); });
}

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  const FileDescriptor fd = open_or_throw(path, O_RDONLY);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw errno_error("stat", path.string());
  if (S_ISDIR(info.st_mode)) throw SystemError(fmt::format("read {}: it is a folder, a file is needed", path.string()));
  std::string bytes;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw errno_error("read", path.string());
    if (got == 0) return bytes;
    bytes.append(chunk, static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes)
      throw CorruptData(fmt::format("{}: larger than the {} bytes allowed here", path.string(), max_bytes));
  }
}

void make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return;
  if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    make_folder(path.parent_path());
    if (::mkdir(path.c_str(), 0777) == 0) return;
  }
  const int code = errno;
  std::error_code unreadable;
  if (code != EEXIST || !fs::is_directory(path, unreadable)) throw errno_error("mkdir", path.string(), code);
}

}  // namespace ditscale::common
