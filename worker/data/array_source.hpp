#pragma once

#include <filesystem>
#include <memory>

#include "worker/data/image_source.hpp"

namespace ditscale::worker {

/// Image arrays in memory: the parts of list_source and open_source for IDX and npz files.
[[nodiscard]] SourceList list_idx(const std::filesystem::path& source, std::filesystem::path labels);
[[nodiscard]] std::unique_ptr<ImageSource> open_idx(const std::filesystem::path& source);
[[nodiscard]] SourceList list_npz(const std::filesystem::path& source);
[[nodiscard]] std::unique_ptr<ImageSource> open_npz(const std::filesystem::path& source);

}  // namespace ditscale::worker
