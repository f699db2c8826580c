#include "results/records.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace ditscale::results {

namespace {

/// Stored in databases, never rename.
constexpr std::array<std::pair<TrialState, std::string_view>, 9> kNames{{
    {TrialState::kPending, "pending"},
    {TrialState::kRunning, "running"},
    {TrialState::kPreempted, "preempted"},
    {TrialState::kLost, "lost"},
    {TrialState::kFailed, "failed"},
    {TrialState::kDiverged, "diverged"},
    {TrialState::kSucceeded, "succeeded"},
    {TrialState::kCancelled, "cancelled"},
    {TrialState::kExcluded, "excluded"},
}};

}  // namespace

std::string_view to_name(TrialState state) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == state; });
  return found == kNames.end() ? "unknown" : found->second;
}

std::optional<TrialState> trial_state_from(std::string_view name) {
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.second == name; });
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::string DecisionRecord::text() const {
  return fmt::format("{} {:.4g} at step {} was number {} of {}; the best {} went on", metric, value, step, rank,
                     num_known, num_kept);
}

bool is_final(TrialState state) {
  switch (state) {
    case TrialState::kPending:
    case TrialState::kRunning:
    case TrialState::kPreempted:
    case TrialState::kLost:
      return false;
    case TrialState::kFailed:
    case TrialState::kDiverged:
    case TrialState::kSucceeded:
    case TrialState::kCancelled:
    case TrialState::kExcluded:
      return true;
  }
  return false;
}

}  // namespace ditscale::results
