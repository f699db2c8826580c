#pragma once

#include <filesystem>
#include <string>

#include "common/ids.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/distributed/communicator.hpp"

namespace ditscale::worker {

/// How one attempt ended; lost when the disk took nothing more. Stored by name in the outcome event.
enum class OutcomeState { kSucceeded, kPreempted, kFailed, kDiverged, kLost };
[[nodiscard]] std::string to_name(OutcomeState state);

struct Outcome {
  OutcomeState state = OutcomeState::kFailed;
  std::string reason;
};

/// What one attempt is given beside its trial.
struct AttemptOptions {
  common::TrialPaths paths;
  common::AttemptNumber attempt{1};
  /// "auto", "cpu" or "cuda".
  std::string device = "auto";
  /// LibTorch's threads in this process.
  int threads = 1;
  /// Descriptor of the agent's pipe, or -1.
  int event_fd = -1;
  /// The agent's named pipe, which rank 0 opens instead; empty when there is none.
  std::string event_pipe;
  Launch launch;
  std::filesystem::path cache_folder;
};

/// Runs one attempt at a trial: takes the folder's lock, goes on from the newest valid checkpoint or starts anew,
/// trains, checkpoints, scores, and appends events to the attempt's folder. Never throws for what happens to the trial:
/// that is the outcome, and its reason.
[[nodiscard]] Outcome run_attempt(const sweeps::TrialSpec& trial, const AttemptOptions& options);

}  // namespace ditscale::worker
