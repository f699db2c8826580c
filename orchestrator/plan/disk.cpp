#include "orchestrator/plan/disk.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "orchestrator/plan/memory.hpp"
#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr double kBytesPerValue = 4;
/// Weights, EMA and two moments.
constexpr double kBuffersInCheckpoint = 4;

/// How many of the multiples of `factor` up to `last` are multiples of any of `intervals`, by inclusion and exclusion.
std::int64_t count_multiples(std::span<const std::int64_t> intervals, std::int64_t factor, std::int64_t last) {
  if (intervals.empty()) return 0;
  const std::int64_t first = intervals.front() / std::gcd(factor, intervals.front());
  const auto others = intervals.subspan(1);
  const std::int64_t of_others = count_multiples(others, factor, last);
  if (first > last / factor) return of_others;
  return last / (first * factor) + of_others - count_multiples(others, first * factor, last);
}

/// Steps of which some score is made apart; the last is one of them.
std::int64_t num_steps_scored_apart(const sweeps::TrialSpec& trial) {
  std::set<std::int64_t> apart;
  for (const sweeps::EvaluateSpec& evaluate : trial.evaluate) {
    if (evaluate.apart) apart.insert(evaluate.every_steps);
  }
  std::vector<std::int64_t> intervals;  // without those whose multiples are another's too
  for (const std::int64_t each : apart) {
    const auto divides = [&](std::int64_t smaller) { return each % smaller == 0; };
    if (std::none_of(intervals.begin(), intervals.end(), divides)) intervals.push_back(each);
  }
  return intervals.empty() ? 0 : count_multiples(intervals, 1, trial.train.steps - 1) + 1;
}

}  // namespace

double disk_bytes(const sweeps::TrialSpec& trial) {
  double buffers = static_cast<double>(trial.checkpoint.keep + 1) * kBuffersInCheckpoint;
  if (const auto every = trial.train.post_hoc_ema_every_steps) {
    const std::int64_t snapshots = (trial.train.steps - 1) / *every + 1;  // the last step's is one
    buffers += static_cast<double>(trial.checkpoint.keep + 1 + snapshots) * kPowerAverages;
  }
  buffers += static_cast<double>(num_steps_scored_apart(trial));
  return buffers * kBytesPerValue * static_cast<double>(sweeps::count_parameters(trial.shape()).total);
}

}  // namespace ditscale::orchestrator
