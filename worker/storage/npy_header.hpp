#pragma once

#include <string>
#include <string_view>

#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

/// "\x93NUMPY", the version and the length of the text that follows, in versions 1 and 2.
inline constexpr std::size_t kNpyShortStart_bytes = 10;
inline constexpr std::size_t kNpyLongStart_bytes = 12;

/// Reads the dictionary of an .npy file (NumPy's format.py, versions 1 to 3), which is Python's text of
/// {'descr': …, 'fortran_order': …, 'shape': …}. `label` is what errors call the array. Throws CorruptData.
[[nodiscard]] NpyHeader parse_npy_header(std::string_view text, const std::string& label);

/// Start and dictionary of a C-order array, padded so that values begin at a multiple of 64 bytes.
[[nodiscard]] std::string npy_header_text(const torch::Tensor& array);

}  // namespace ditscale::worker
