#pragma once

#include <filesystem>
#include <optional>

#include "common/json_document.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/weights/infer_trial.hpp"

namespace ditscale::worker {

/// config.json of diffusers' DiTTransformer2DModel for a model that it can be.
[[nodiscard]] common::Json diffusers_config(const sweeps::TrialSpec& trial);

/// The config.json in `folder` when it is that class's; empty otherwise. Throws CorruptData when it is no JSON.
[[nodiscard]] std::optional<common::Json> read_diffusers_config(const std::filesystem::path& folder);

/// Fills in the hints that are absent: heads, and the side of the images. Throws ConfigError for settings that our
/// model does not have (another activation or norm), and warns where they only nearly agree.
void apply_diffusers_config(const common::Json& config, ImportHints& hints);

}  // namespace ditscale::worker
