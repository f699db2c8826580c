#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "worker/storage/random_access_file.hpp"

namespace ditscale::worker {

/// One file inside a zip archive.
struct ZipEntry {
  /// Of the packed data, from the archive's start.
  std::uint64_t offset_bytes = 0;
  std::uint64_t packed_bytes = 0;
  /// Unpacked.
  std::uint64_t num_bytes = 0;
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// Reads one entry from its beginning, unpacking as it goes: memory is what the caller brings.
class ZipStream {
 public:
  ZipStream(const RandomAccessFile& file, const ZipEntry& entry, std::string name);
  ~ZipStream();
  ZipStream(const ZipStream&) = delete;
  ZipStream& operator=(const ZipStream&) = delete;

  /// The next `out.size()` bytes; fewer is CorruptData.
  void read(std::span<std::byte> out);
  /// Throws when bytes are left or the checksum does not fit what was read.
  void expect_end();
  /// Bytes not yet read, by the directory's word.
  [[nodiscard]] std::uint64_t left_bytes() const;

 private:
  struct Inflater;
  std::size_t inflate_into(std::span<std::byte> out);
  [[noreturn]] void fail(const std::string& reason) const;

  const RandomAccessFile& file_;
  ZipEntry entry_;
  std::string name_;
  std::uint64_t taken_bytes_ = 0;
  std::uint64_t given_bytes_ = 0;
  std::uint32_t crc_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

/// A zip archive (stored and deflated entries, zip64; PKWARE's APPNOTE 6.3). Names are keys and nothing else: none ever
/// becomes a path. Encrypted, split and self-extracting archives are refused, and those whose entries overlap, stand
/// twice, or claim to unpack to more than deflate can.
///
/// Errors: CorruptData naming file and entry; SystemError when the system fails.
class ZipFile {
 public:
  [[nodiscard]] static ZipFile open(const std::filesystem::path& path);

  /// In the order of the archive's directory.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const { return entries_.count(name) != 0; }
  [[nodiscard]] const ZipEntry& entry(const std::string& name) const;
  /// The stream must not outlive this.
  [[nodiscard]] ZipStream stream(const std::string& name) const { return {file_, entry(name), name}; }
  /// A whole entry of at most `max_bytes`, checksum compared.
  [[nodiscard]] std::string read_text(const std::string& name, std::uint64_t max_bytes) const;
  [[nodiscard]] const std::string& label() const { return file_.label(); }

 private:
  explicit ZipFile(RandomAccessFile file) : file_(std::move(file)) {}

  RandomAccessFile file_;
  std::map<std::string, ZipEntry> entries_;
  std::vector<std::string> names_;
};

}  // namespace ditscale::worker
