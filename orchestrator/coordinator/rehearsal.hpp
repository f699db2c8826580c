#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "orchestrator/coordinator/makespan_bound.hpp"
#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// What the scheduler would make of all that is left, were every prediction right, nothing to fail and time unlimited.
struct Rehearsal {
  struct Start {
    std::size_t position = 0;
    double at_s = 0;
  };
  /// When the last trial ends.
  double end_s = 0;
  /// The first trial to start; empty when none is left that the nodes can hold.
  std::optional<Start> next;
};

/// As much of a state as `rehearse` needs, with the trials that are left: a copy costs little.
struct Sketch {
  State state;
  /// In the sketched state, of each of its trials.
  std::vector<std::size_t> positions;
  /// By the sketch's positions, of those that run; see expected_end_s.
  std::map<std::size_t, double> ends_s;
};
[[nodiscard]] Sketch sketch_of(const State& state, double now_s);

/// Runs through what is left by the scheduler's own decisions, in the order that the sketch has. With `errors`, of each
/// trial of the sketch, those that start take so many times what the scheduler predicts.
[[nodiscard]] Rehearsal rehearse(Sketch sketch, double now_s, const std::vector<double>& errors = {});

/// When a running trial will be done: by its own pace once it has made a noticeable part of the training in this
/// attempt; before, and for the scores after the training, by prediction.
[[nodiscard]] double expected_end_s(const State& state, std::size_t position, double now_s);

/// What is left of all trials that run or wait.
[[nodiscard]] std::vector<Job> jobs_left(const State& state, double now_s);
/// No schedule of them on these nodes takes less.
[[nodiscard]] double bound_left_s(const State& state, double now_s);

}  // namespace ditscale::orchestrator
