#pragma once

#include <string>
#include <vector>

#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::worker {

/// What `worker bench` times: width 128, depth 6, 64 tokens of a 32 x 32 input with four channels, batch 128, changed
/// by the texts of `--set`, in order. One that names the model ("model=DiT-S/2", "model.name=DiT-S/2") replaces all of
/// that model's size. Throws UsageError or ConfigError.
[[nodiscard]] sweeps::TrialSpec bench_trial(const std::vector<std::string>& assignments);

}  // namespace ditscale::worker
