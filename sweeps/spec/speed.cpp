#include "sweeps/spec/speed.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "common/error.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::sweeps {

namespace {

/// Seconds after the start-up; an attempt that was shorter still took some.
double working_s(const MeasuredRun& run) { return std::max(run.seconds - kStartUp_s, 0.1 * run.seconds); }

Speed median_rate(std::span<const MeasuredRun> runs) {
  std::vector<double> rates;
  for (const MeasuredRun& run : runs) rates.push_back(run.macs / working_s(run));
  std::sort(rates.begin(), rates.end());
  const std::size_t middle = rates.size() / 2;
  return rates.size() % 2 == 1 ? rates[middle] : 0.5 * (rates[middle - 1] + rates[middle]);
}

bool tell_apart(std::span<const MeasuredRun> runs) {
  constexpr std::size_t kFewestRuns = 4;
  constexpr std::size_t kFewestModels = 3;
  // In steps of a factor of the square root of two: the same model counts once, whatever its share of sampling was.
  std::set<long> sizes;
  for (const MeasuredRun& run : runs) sizes.insert(std::lround(2 * std::log2(run.macs / run.block_steps)));
  return runs.size() >= kFewestRuns && sizes.size() >= kFewestModels;
}

/// Seconds per MAC and per block-step of the weighted normal equations; each run is divided by its seconds.
std::pair<double, double> solve(std::span<const MeasuredRun> runs, const std::vector<double>& weights) {
  double aa = 0, ab = 0, bb = 0, ay = 0, by = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double a = runs[i].macs / working_s(runs[i]), b = runs[i].block_steps / working_s(runs[i]);
    aa += weights[i] * a * a;
    ab += weights[i] * a * b;
    bb += weights[i] * b * b;
    ay += weights[i] * a;
    by += weights[i] * b;
  }
  const double determinant = aa * bb - ab * ab;
  return {(ay * bb - by * ab) / determinant, (aa * by - ab * ay) / determinant};
}

}  // namespace

Speed fit_speed(std::span<const MeasuredRun> runs) {
  DITSCALE_CHECK(!runs.empty(), "no runs to learn a speed from");
  if (!tell_apart(runs)) return median_rate(runs);
  constexpr int kRounds = 30;
  constexpr double kHuber = 0.1;
  std::vector<double> weights(runs.size(), 1.0);
  std::pair<double, double> costs;
  for (int round = 0; round < kRounds; ++round) {
    costs = solve(runs, weights);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double predicted_s = costs.first * runs[i].macs + costs.second * runs[i].block_steps;
      const double error = std::abs(predicted_s / working_s(runs[i]) - 1);
      weights[i] = error <= kHuber ? 1.0 : kHuber / error;
    }
  }
  const auto [per_mac_s, per_block_step_s] = costs;
  const bool sensible = std::isfinite(per_mac_s) && per_mac_s > 0 && per_block_step_s >= 0;
  return sensible ? Speed(1 / per_mac_s, per_block_step_s) : median_rate(runs);
}

}  // namespace ditscale::sweeps
