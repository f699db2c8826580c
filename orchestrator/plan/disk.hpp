#pragma once

#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

/// The most that a trial's folder holds of weights: the checkpoints that are kept and the one being written, all
/// snapshots for post-hoc EMA, and the averaged weights of each step that is scored apart, which are kept until the
/// training is over.
[[nodiscard]] double disk_bytes(const sweeps::TrialSpec& trial);

}  // namespace ditscale::orchestrator
