#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

/// What tensors do not show.
struct ImportHints {
  std::optional<std::int64_t> heads = {};
  /// Side of the images in pixels.
  std::optional<std::int64_t> image_size = {};
  /// Absent: latents when there are four channels, else pixels.
  std::optional<std::string> space = {};
  /// Absent: one fewer than the label table has rows, the last row being the null label.
  std::optional<std::int64_t> classes = {};
};

/// The position embedding's name in the reference checkpoint.
inline constexpr const char* kPositionTensor = "pos_embed";
/// Key of our trial among a safetensors file's metadata.
inline constexpr const char* kTrialMetadata = "ditscale.trial";

/// The trial that a model with these tensors (under the reference's names) would be trained by: depth, width, patch,
/// channels, classes, block design and whether the variance is learned are read from the shapes, the heads from the
/// published sizes, the side of the images from the position embedding; `hints` say what the file does not. Where our
/// own export put the trial into the metadata, it is that one. What no file shows (the optimiser, say) is the default.
///
/// Throws CorruptData for tensors that are no DiT's, UsageError naming the option that is missing or contradicted.
[[nodiscard]] sweeps::TrialSpec infer_trial(const TensorSource& source, const ImportHints& hints);

}  // namespace ditscale::worker
