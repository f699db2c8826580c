#pragma once

#include <filesystem>

#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::worker {

/// Refuses a model that cannot be in the file whose header names it, with CorruptData: nothing is allocated on a
/// header's word. Embeddings of positions, which no file holds, may take a gigabyte, or as much as the file.
void check_model_size(const std::filesystem::path& file, const sweeps::ModelShape& shape);

}  // namespace ditscale::worker
