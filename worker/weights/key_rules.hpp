#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

/// How one of our tensors stands in a file of another layout.
struct KeyRule {
  /// As in the reference checkpoint.
  std::string name;
  /// What it is in the file: one tensor, or several that follow each other along the first dimension.
  std::vector<std::string> parts;
  /// Further tensors of the file that repeat the only part.
  std::vector<std::string> copies;
};

/// Rules for diffusers' DiTTransformer2DModel of `depth` blocks: q, k and v apart, and the timestep's and label's
/// embedders repeated in each block.
[[nodiscard]] std::vector<KeyRule> diffusers_rules(std::int64_t depth);

/// Whether a file's names are those of diffusers' DiTTransformer2DModel.
[[nodiscard]] bool is_diffusers_layout(const TensorSource& source);

/// `source` under the names of the reference checkpoint: without a prefix that all its names share ("module."), and put
/// together by the rules where it has diffusers' layout. Throws CorruptData naming tensors that are missing or left
/// over. Copies are compared with what they repeat when that is read.
[[nodiscard]] std::unique_ptr<TensorSource> under_reference_names(std::unique_ptr<TensorSource> source);

}  // namespace ditscale::worker
