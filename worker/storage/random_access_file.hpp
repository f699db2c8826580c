#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "common/file_descriptor.hpp"

namespace ditscale::worker {

/// A file that is read at places of the reader's choice. Not mapped into memory: a file that shrinks while it is read
/// is an error then, and not the end of the process.
///
/// Errors: SystemError when the system fails or the path is no ordinary file, CorruptData when the file ends too early.
class RandomAccessFile {
 public:
  [[nodiscard]] static RandomAccessFile open(const std::filesystem::path& path);

  /// Size when it was opened.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] const std::string& label() const { return label_; }
  /// Fills `out` with the bytes from `offset` on. Any thread.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// The same as text; `count` is checked against the file's size before memory is taken.
  [[nodiscard]] std::string read_text(std::uint64_t offset, std::uint64_t count) const;

 private:
  RandomAccessFile(common::FileDescriptor fd, std::uint64_t size_bytes, std::string label);

  common::FileDescriptor fd_;
  std::uint64_t size_bytes_;
  /// What errors call the file.
  std::string label_;
};

}  // namespace ditscale::worker
