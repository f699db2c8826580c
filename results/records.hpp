#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/event.hpp"
#include "common/ids.hpp"
#include "common/json_document.hpp"

namespace ditscale::results {

/// Where a trial or an attempt stands. Stored by name.
enum class TrialState { kPending, kRunning, kPreempted, kLost, kFailed, kDiverged, kSucceeded, kCancelled, kExcluded };

[[nodiscard]] std::string_view to_name(TrialState state);
[[nodiscard]] std::optional<TrialState> trial_state_from(std::string_view name);
/// Nothing more will happen to a trial in this state unless someone asks for it.
[[nodiscard]] bool is_final(TrialState state);

/// One trial as the database keeps it.
struct TrialRecord {
  common::TrialId id;
  /// What tells it from the other cells: "model.patch=4 model.width=128".
  std::string label;
  /// The axes of its cell, an object path → value.
  common::Json axes = common::Json::object();
  /// The resolved trial (sweeps::TrialSpec::to_json).
  common::Json spec;
  std::int64_t total_parameters = 0;
  std::int64_t trainable_parameters = 0;
  /// Multiply-accumulates of one forward pass of one image.
  std::int64_t forward_macs = 0;
  /// Real FLOPs of the whole training (6 x MACs x images).
  double training_flops = 0;
  /// Order in the sweep file.
  std::int64_t position = 0;
  TrialState state = TrialState::kPending;
  std::string reason;
};

/// Where a trial stands on record, without all that makes it.
struct TrialStanding {
  common::TrialId id;
  TrialState state = TrialState::kPending;
  std::string reason;
};

/// One attempt at a trial.
struct AttemptRecord {
  common::TrialId trial;
  common::AttemptNumber number{1};
  TrialState state = TrialState::kRunning;
  std::string reason;
  /// Host of the agent and what the trainer was given: "cpu 0,1" or "gpu 3".
  std::string host;
  std::string devices;
  double predicted_s = 0;
  double started_s = 0;
  std::optional<double> ended_s;
  /// Number of the newest event taken in.
  std::int64_t last_event = 0;
  /// Step of the newest checkpoint among those events; 0 when there is none. Read, never written.
  std::int64_t checkpoint_step = 0;
};

/// Whether a trial went on at a step where it was compared with others (early stopping).
struct DecisionRecord {
  common::TrialId trial;
  std::int64_t step = 0;
  std::string metric;
  double value = 0;
  /// Place among the values known then, 1 being the best, their number, and how many of them were to go on.
  std::int64_t rank = 1;
  std::int64_t num_known = 1;
  std::int64_t num_kept = 1;
  bool kept = true;
  double time_s = 0;
  /// "loss 0.231 at step 100 was 5th best of 8; the best 4 went on".
  [[nodiscard]] std::string text() const;
};

/// Devices that a coordinator had, and when.
struct NodeRecord {
  double joined_s = 0;
  /// Rank of the agent there.
  int agent = 0;
  std::string host;
  std::int64_t cpus = 0;
  std::int64_t gpus = 0;
  /// Empty while it is there.
  std::optional<double> left_s;
};

/// An event with the attempt it belongs to.
struct AttemptEvent {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  common::Event event;
};

}  // namespace ditscale::results
