#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "worker/storage/zip_file.hpp"

namespace ditscale::worker {

/// What an .npy header says of its array.
struct NpyHeader {
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  /// The first index runs fastest.
  bool fortran_order = false;
  /// Of the values.
  std::uint64_t num_bytes = 0;
};

/// NumPy's archive of arrays: a zip of .npy entries, packed or not. Little-endian float16, float32, float64, int8,
/// int16, int32, int64, uint8 and bool are read; arrays of objects (pickles) never are. What a header claims is held
/// against the size of its entry before memory is taken.
///
/// Errors: CorruptData naming file and array; SystemError when the system fails.
class NpzFile {
 public:
  [[nodiscard]] static NpzFile open(const std::filesystem::path& path);

  /// Names without ".npy"; entries that are no arrays are left out.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const;
  /// Type and shape without the values.
  [[nodiscard]] NpyHeader header(const std::string& name) const;
  /// The array in C order, on the CPU.
  [[nodiscard]] torch::Tensor read(const std::string& name) const;

 private:
  explicit NpzFile(ZipFile zip);

  ZipFile zip_;
  std::vector<std::string> names_;
};

/// Rows of one array of an npz file, read without holding the array: forwards as the file is unpacked; going back
/// starts it again. What was read to its end has had its checksum compared.
///
/// Errors: as NpzFile; ConfigError for an array in Fortran order, whose rows lie scattered.
class NpzRows {
 public:
  NpzRows(const std::filesystem::path& path, const std::string& name);

  [[nodiscard]] const NpyHeader& header() const { return header_; }
  /// Rows begin … end - 1 of the first index, C order.
  [[nodiscard]] torch::Tensor rows(std::int64_t begin, std::int64_t end);

 private:
  void restart();

  RandomAccessFile file_;
  ZipEntry entry_;
  std::string label_;
  NpyHeader header_;
  std::uint64_t row_bytes_ = 0;
  /// At row `next_`.
  std::unique_ptr<ZipStream> stream_;
  std::int64_t next_ = 0;
};

/// Writes CPU tensors, not packed, whole or not at all. The same content gives the same bytes.
void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, torch::Tensor>>& arrays);

}  // namespace ditscale::worker
