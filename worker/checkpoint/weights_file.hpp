#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <torch/types.h>

#include "common/json_document.hpp"
#include "worker/model/flat_parameters.hpp"

namespace ditscale::worker {

/// Version of the weights file's format; stored, never renumber.
inline constexpr std::int64_t kWeightsVersion = 1;

/// What a file that a model can be made of says of itself: a checkpoint, or a weights file that `worker import` made.
struct ModelHeader {
  /// The resolved trial (TrialSpec::to_json).
  common::Json trial;
  /// Optimiser steps; empty where nobody knows.
  std::optional<std::int64_t> step;
  /// File and state dict that imported weights came from; null for a checkpoint.
  common::Json origin;
};

/// A model without its training state, as HDF5: /header and /layout (JSON text, as in a checkpoint) and /ema (float32,
/// flat; docs/formats.md). Appears whole or not at all. Throws SystemError.
void write_weights_file(const std::filesystem::path& path, const ModelHeader& header, const FlatLayout& layout,
                        const torch::Tensor& ema);

/// Throws CorruptData when the file is neither a checkpoint nor a weights file of a known version.
[[nodiscard]] ModelHeader read_model_header(const std::filesystem::path& path);

/// One flat buffer of a checkpoint or weights file, "ema" or "weights". Throws CorruptData when its parameters are not
/// those of `layout`, ConfigError when it does not have that buffer.
[[nodiscard]] torch::Tensor read_flat_weights(const std::filesystem::path& path, const FlatLayout& layout,
                                              const std::string& buffer);

}  // namespace ditscale::worker
