#include "sweeps/spec/speed.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "sweeps/spec/cost.hpp"

namespace ditscale::sweeps {
namespace {

const Speed kPlanted(3e10, 4e-4);

/// A run of a model of `depth` blocks that does `macs_per_step`, at the planted speed.
MeasuredRun planted(double depth, double macs_per_step, double steps = 1000) {
  const double block_steps = depth * steps, macs = macs_per_step * steps;
  return {kStartUp_s + macs / kPlanted.macs_per_s + block_steps * kPlanted.block_s, macs, block_steps};
}

/// Three orders of magnitude of size: the small ones are bound by their blocks, the large ones by arithmetic.
std::vector<MeasuredRun> planted_study() {
  std::vector<MeasuredRun> runs;
  for (int size = 0; size < 24; ++size) runs.push_back(planted(2 + size / 4, 1e6 * std::pow(1.4, size)));
  return runs;
}

double predicted_of(const Speed& speed, const MeasuredRun& run) {
  return kStartUp_s + run.macs / speed.macs_per_s + run.block_steps * speed.block_s;
}

Speed median_rate(const std::vector<MeasuredRun>& runs) {
  std::vector<double> rates;
  for (const MeasuredRun& run : runs) rates.push_back(run.macs / (run.seconds - kStartUp_s));
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

TEST(FitSpeed, FindsAPlantedSpeed) {
  const Speed found = fit_speed(planted_study());
  EXPECT_NEAR(found.macs_per_s, kPlanted.macs_per_s, 1e-6 * kPlanted.macs_per_s);
  EXPECT_NEAR(found.block_s, kPlanted.block_s, 1e-6 * kPlanted.block_s);
}

TEST(FitSpeed, IsHardlyMovedByRunsThatWereDisturbed) {
  auto runs = planted_study();
  for (const std::size_t i : {3U, 15U}) runs[i].seconds *= 5;
  const Speed found = fit_speed(runs);
  EXPECT_NEAR(found.macs_per_s, kPlanted.macs_per_s, 0.1 * kPlanted.macs_per_s);
  EXPECT_NEAR(found.block_s, kPlanted.block_s, 0.1 * kPlanted.block_s);
}

/// Each run predicted from the others, with a scatter of 5 %: one median rate is far off for the small ones.
TEST(FitSpeed, PredictsRunsThatItHasNotSeen) {
  std::mt19937 random(7);
  std::normal_distribution<> scatter(0, 0.05);
  auto runs = planted_study();
  for (MeasuredRun& run : runs) run.seconds *= std::exp(scatter(random));
  double worst = 0, worst_by_rate = 0;
  for (std::size_t left_out = 0; left_out < runs.size(); ++left_out) {
    auto others = runs;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
    const double error = std::log(predicted_of(fit_speed(others), runs[left_out]) / runs[left_out].seconds);
    worst = std::max(worst, std::abs(error));
    const double by_rate = predicted_of(median_rate(others), runs[left_out]) / runs[left_out].seconds;
    worst_by_rate = std::max(worst_by_rate, std::abs(std::log(by_rate)));
  }
  EXPECT_LT(worst, 0.25) << "five times the scatter";
  EXPECT_GT(worst_by_rate, 0.5);
}

TEST(FitSpeed, TakesOneRunForTheRateAlone) {
  const MeasuredRun run{13.0, 5e11, 2000};
  const Speed found = fit_speed(std::vector{run});
  EXPECT_DOUBLE_EQ(found.macs_per_s, 5e10);
  EXPECT_EQ(found.block_s, 0);
  EXPECT_NEAR(predicted_of(found, run), run.seconds, 1e-9);
}

/// One model, with more or less sampling in its attempts, says nothing of blocks.
TEST(FitSpeed, CountsAModelOnce) {
  std::vector<MeasuredRun> runs;
  for (const double share : {1.0, 1.02, 1.05, 1.1}) runs.push_back(planted(4, share * 1e8));
  EXPECT_EQ(fit_speed(runs).block_s, 0);
}

TEST(FitSpeed, DoesNotBelieveInBlocksThatTakeLessThanNoTime) {
  std::vector<MeasuredRun> runs;
  for (const double macs : {1e10, 1e11, 1e12, 1e13})
    runs.push_back({kStartUp_s + std::pow(macs, 1.2) / 1e11, macs, 4000});
  EXPECT_EQ(fit_speed(runs).block_s, 0);
}

TEST(FitSpeed, TakesARunShorterThanAStartUp) {
  EXPECT_GT(fit_speed(std::vector{MeasuredRun{1.0, 1e9, 10}}).macs_per_s, 0);
}

}  // namespace
}  // namespace ditscale::sweeps
