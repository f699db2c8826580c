#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <torch/types.h>

#include "common/file_descriptor.hpp"

namespace ditscale::worker {

/// The rows (first dimension) of one dataset of a finished HDF5 file, read and written in place, past HDF5: any number
/// of threads and processes at once, without its lock, as long as no two write the same row. Rows are raw little-endian
/// elements. Errors name file, dataset and row: SystemError when a call fails, CorruptData when the file is shorter
/// than when it was opened.
class RowFile {
 public:
  enum class Access { kRead, kReadWrite };

  RowFile(const std::filesystem::path& path, const std::string& dataset, Access access = Access::kRead);

  [[nodiscard]] std::int64_t num_rows() const { return num_rows_; }
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] at::ScalarType type() const { return type_; }
  /// Of one row: without the first dimension.
  [[nodiscard]] const std::vector<std::int64_t>& row_shape() const { return row_shape_; }

  /// `out` and `bytes` are whole rows, from row `first`.
  void read(std::int64_t first, std::span<std::byte> out) const;
  void write(std::int64_t first, std::span<const std::byte> bytes) const;
  /// Rows first … first + count - 1 in memory of their own.
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t count) const;

  /// Asks the system to fetch the row ahead of its reading.
  void will_need(std::int64_t row) const noexcept;
  /// Returns when what was written is on the disk.
  void sync() const;

 private:
  [[nodiscard]] std::int64_t offset_of(std::int64_t first, std::size_t num_bytes) const;

  std::string label_;
  common::FileDescriptor file_;
  at::ScalarType type_ = at::kByte;
  std::vector<std::int64_t> row_shape_;
  std::int64_t num_rows_ = 0;
  std::size_t row_bytes_ = 0;
  std::int64_t offset_bytes_ = 0;
};

}  // namespace ditscale::worker
