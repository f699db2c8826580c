#pragma once

#include <filesystem>
#include <optional>

#include "common/file_descriptor.hpp"

namespace ditscale::common {

/// An exclusive advisory lock (flock) on a file. Released when the holder ends, however it ends.
class FileLock {
 public:
  /// Takes the lock or returns nothing when another process holds it. Throws SystemError when the file cannot be
  /// opened.
  [[nodiscard]] static std::optional<FileLock> try_acquire(const std::filesystem::path& path);

  /// Takes the lock as soon as no other process holds it. For what is held for moments. Throws SystemError when the
  /// file cannot be opened.
  [[nodiscard]] static FileLock acquire(const std::filesystem::path& path);

  /// Whether a process holds the lock now. It is shared for a moment to see that: those who only ask do not get in each
  /// other's way, but `try_acquire` may fail meanwhile. Those who may only read the file can ask too.
  [[nodiscard]] static bool is_held(const std::filesystem::path& path);

 private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

}  // namespace ditscale::common
