#pragma once

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/restore.hpp"

namespace ditscale::orchestrator {

/// One attempt at one trial.
struct AttemptKey {
  common::TrialId trial;
  common::AttemptNumber attempt{1};

  bool operator<(const AttemptKey& other) const {
    return std::tie(trial, attempt) < std::tie(other.trial, other.attempt);
  }
};

/// What survives a coordinator's death: the database, the trials' event files and checkpoints.
struct Disk {
  std::unordered_map<common::TrialId, PastTrial> records;
  std::map<AttemptKey, std::vector<common::Event>> event_files;
  std::unordered_map<common::TrialId, std::int64_t> checkpoints;
  /// Failures of its own that a trial has had.
  std::unordered_map<common::TrialId, int> failures;
  /// Trials whose scores after the last step are made; those apart may not be.
  std::unordered_set<common::TrialId> scored;

  /// Stores what a coordinator records.
  void record(const Actions& actions);
  /// The records with each attempt's file, as a restarted coordinator reads them.
  [[nodiscard]] std::unordered_map<common::TrialId, PastTrial> past() const;
};

}  // namespace ditscale::orchestrator
