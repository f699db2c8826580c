#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <torch/types.h>

namespace ditscale::worker {

/// What is expected of an IDX file before it is read.
struct IdxExpectation {
  /// Largest number of entries (the first dimension); at least one is needed.
  std::int64_t max_entries;
  /// The other dimensions, exactly: {28, 28} for images, {} for labels.
  std::vector<std::int64_t> entry_shape;
};

/// Reads an IDX file of unsigned bytes, plain or gzip: big-endian magic 0x0000080D with D dimensions, D sizes of 32
/// bits, then the bytes (format: the MNIST page of Y. LeCun). Returns uint8 of shape (entries, entry_shape…).
/// Everything that does not fit is CorruptData naming the file; nothing is allocated before the header was found
/// credible.
[[nodiscard]] torch::Tensor read_idx(const std::filesystem::path& path, const IdxExpectation& expected);

/// The same for any sizes in `rank` dimensions, none of them zero: credible is what the file's bytes can unpack to.
[[nodiscard]] torch::Tensor read_idx_array(const std::filesystem::path& path, std::size_t rank);

}  // namespace ditscale::worker
