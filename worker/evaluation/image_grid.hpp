#pragma once

#include <cstdint>
#include <filesystem>

#include <torch/types.h>

namespace ditscale::worker {

/// Writes images as one PNG picture, row by row, `columns` in a row (fewer when there are fewer images), with a grey
/// gap of two pixels between them; places without an image are grey. The file appears whole or not at all. `images`:
/// uint8 (N, C, H, W) on the CPU, N at least 1, C = 1 (grey) or 3 (red, green, blue).
void write_png_grid(const std::filesystem::path& path, const torch::Tensor& images, std::int64_t columns);

}  // namespace ditscale::worker
