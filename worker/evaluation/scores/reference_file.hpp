#pragma once

#include <filesystem>

#include "worker/evaluation/scores/reference.hpp"

namespace ditscale::worker {

/// Writes a reference as one HDF5 file, whole or not at all. Throws SystemError.
void write_reference(const std::filesystem::path& path, const Reference& reference);

/// Reads one. Throws CorruptData when it is none, or its digest does not fit its content.
[[nodiscard]] Reference read_reference(const std::filesystem::path& path);

/// Whether a file begins as HDF5 does.
[[nodiscard]] bool is_reference_file(const std::filesystem::path& path);

}  // namespace ditscale::worker
