#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "worker/storage/whole_file_writer.hpp"

namespace ditscale::worker {

/// Writes a zip archive of stored entries, whole or not at all; zip64 where sizes need it. Entries carry no times: the
/// same content gives the same bytes.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}

  /// An entry made of `parts` one after the other.
  void add(const std::string& name, std::initializer_list<std::span<const std::byte>> parts);
  /// Writes the directory and makes the file appear.
  void commit();

 private:
  struct Added {
    std::string name;
    std::uint64_t num_bytes;
    std::uint64_t offset_bytes;
    std::uint32_t crc;
  };
  void write_directory_entry(const Added& entry);

  WholeFileWriter file_;
  std::vector<Added> added_;
};

}  // namespace ditscale::worker
