#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include <zlib.h>

namespace ditscale::worker {

/// Reads a file from its beginning, unpacking it when it is gzip (told by its first bytes, not its name). The packed
/// bytes are held in memory. Every failure is a CorruptData or SystemError that names the file.
class PackedFile {
 public:
  explicit PackedFile(const std::filesystem::path& path);
  PackedFile(const PackedFile&) = delete;
  PackedFile& operator=(const PackedFile&) = delete;
  ~PackedFile();

  /// More than this cannot be in the file: its size, or for gzip what deflate can make of it (1032 bytes of one).
  [[nodiscard]] std::int64_t most_bytes() const;
  /// The next `out.size()` bytes; fewer is CorruptData.
  void read(std::span<std::byte> out);
  /// Throws when bytes are left, or when gzip's checksum does not fit what was read.
  void expect_end();

 private:
  /// Unpacks up to `out.size()` bytes; returns how many there were.
  std::size_t inflate_into(std::span<std::byte> out);
  [[noreturn]] void fail(const std::string& reason) const;

  std::filesystem::path path_;
  std::string bytes_;
  bool packed_ = false;
  /// Of a plain file: how far it was read.
  std::size_t position_ = 0;
  bool ended_ = false;
  z_stream stream_{};
};

}  // namespace ditscale::worker
