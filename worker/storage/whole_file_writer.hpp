#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "common/file_descriptor.hpp"

namespace ditscale::worker {

/// Writes a file piece by piece that appears whole or not at all: under a temporary name in the same folder until
/// `commit`, which fsyncs and renames it. Without commit nothing is left behind. Throws SystemError (disk full,
/// permission).
class WholeFileWriter {
 public:
  explicit WholeFileWriter(std::filesystem::path path);
  WholeFileWriter(const WholeFileWriter&) = delete;
  WholeFileWriter& operator=(const WholeFileWriter&) = delete;
  ~WholeFileWriter();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Bytes written so far.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  /// Makes the file appear. No other call is allowed afterwards.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  common::FileDescriptor fd_;
  std::uint64_t position_ = 0;
};

}  // namespace ditscale::worker
