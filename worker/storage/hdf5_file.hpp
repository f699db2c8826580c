#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <torch/types.h>

namespace ditscale::worker {

/// Where the elements of a dataset lie: one run of little-endian numbers, inside the file when it was looked up.
struct ArrayPlace {
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t offset_bytes;
};

/// One HDF5 file: the only place that talks to HDF5's C interface. Move-only; closes on destruction, silently: a writer
/// calls `close` to learn of errors. Any thread may use any file, one call at a time in the whole process.
///
/// Format: superblock version 3, so that all metadata carries checksums and a file whose writer was killed is refused;
/// datasets are contiguous, without fill values or time stamps: the same content gives the same bytes. Raw data carries
/// no checksum: who needs one keeps a digest of the file. Names may hold groups ("group/name"), which are made as
/// needed. Soft and external links are not followed.
///
/// Errors: SystemError when the system fails (cannot open, disk full), CorruptData when the content is not what it
/// should be; both name file and dataset.
class Hdf5File {
 public:
  /// A new file for writing; an old one of that name is emptied.
  [[nodiscard]] static Hdf5File create(const std::filesystem::path& path);
  /// An existing file, read only.
  [[nodiscard]] static Hdf5File open(const std::filesystem::path& path);
  /// A file that lies in memory, read only; `bytes` is copied. `name` is what errors call it.
  [[nodiscard]] static Hdf5File open_image(std::span<const std::byte> bytes, const std::string& name = "HDF5 image");

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&& other) noexcept;
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;
  ~Hdf5File();

  /// Writes a CPU tensor of float16, float32, float64, int64 or uint8 as a new dataset.
  void write(const std::string& name, const torch::Tensor& tensor);

  /// A new dataset whose elements are written later, at its place; until then they are whatever the disk gives.
  void reserve(const std::string& name, at::ScalarType type, at::IntArrayRef shape);
  /// For reading or writing its elements without HDF5 once this file is closed.
  [[nodiscard]] ArrayPlace place(const std::string& name) const;

  /// The dataset with the type and shape the file gives it. What the header claims is checked against the size of the
  /// file before memory is taken.
  [[nodiscard]] torch::Tensor read(const std::string& name) const;
  /// The same, refusing another type or shape.
  [[nodiscard]] torch::Tensor read(const std::string& name, at::ScalarType type, at::IntArrayRef shape) const;

  /// Text without NUL characters, as a scalar string of fixed length.
  void write_text(const std::string& name, const std::string& text);
  [[nodiscard]] std::string read_text(const std::string& name, std::size_t max_bytes = std::size_t{16} << 20) const;

  /// Whether a dataset or group of that name exists. CorruptData for a link that may lead elsewhere.
  [[nodiscard]] bool has(const std::string& name) const;

  /// Flushes and closes, reporting what could not be written. No other call is allowed afterwards.
  void close();

 private:
  Hdf5File(std::int64_t file, std::string label);
  void release() noexcept;
  [[nodiscard]] std::int64_t file() const;

  /// HDF5's identifier, negative when closed.
  std::int64_t file_ = -1;
  /// What errors call the file.
  std::string label_;
};

}  // namespace ditscale::worker
