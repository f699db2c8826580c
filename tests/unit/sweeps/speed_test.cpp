#include "sweeps/spec/speed.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::sweeps {
namespace {

constexpr double kPlantedWork = 2.5;
constexpr double kPlantedLaunches = 0.4;

/// A run of which the roofline says so, at the planted speed.
MeasuredRun planted(double work_s, double launches_s) {
  return {kStartUp_s + kPlantedWork * work_s + kPlantedLaunches * launches_s, {work_s, launches_s}};
}

/// From models that launches bind to models that arithmetic binds.
std::vector<MeasuredRun> planted_study() {
  std::vector<MeasuredRun> runs;
  for (int size = 0; size < 24; ++size) runs.push_back(planted(0.5 * std::pow(1.4, size), 20 + 10 * (size / 4)));
  return runs;
}

TEST(FitSpeed, IsTheRooflineBeforeAnythingWasMeasured) { EXPECT_EQ(fit_speed({}), Speed()); }

TEST(FitSpeed, FindsAPlantedSpeed) {
  const Speed found = fit_speed(planted_study());
  EXPECT_NEAR(found.work, kPlantedWork, 0.01 * kPlantedWork);
  EXPECT_NEAR(found.launches, kPlantedLaunches, 0.01 * kPlantedLaunches);
  EXPECT_EQ(found.num_runs, 24U);
}

TEST(FitSpeed, IsHardlyMovedByRunsThatWereDisturbed) {
  auto runs = planted_study();
  for (const std::size_t i : {3U, 15U}) runs[i].seconds *= 5;
  const Speed found = fit_speed(runs);
  EXPECT_NEAR(found.work, kPlantedWork, 0.1 * kPlantedWork);
  EXPECT_NEAR(found.launches, kPlantedLaunches, 0.1 * kPlantedLaunches);
}

/// Each run predicted from the others, with a scatter of 5 %.
TEST(FitSpeed, PredictsRunsThatItHasNotSeen) {
  std::mt19937 random(7);
  std::normal_distribution<> scatter(0, 0.05);
  auto runs = planted_study();
  for (MeasuredRun& run : runs) run.seconds *= std::exp(scatter(random));
  double worst = 0;
  for (std::size_t left_out = 0; left_out < runs.size(); ++left_out) {
    auto others = runs;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
    const double predicted = predicted_s(runs[left_out].roofline, fit_speed(others));
    worst = std::max(worst, std::abs(std::log(predicted / runs[left_out].seconds)));
  }
  EXPECT_LT(worst, 0.25) << "five times the scatter";
}

TEST(FitSpeed, TakesOneRunForWhatItCanTell) {
  const Speed by_work = fit_speed(std::vector{MeasuredRun{kStartUp_s + 30, {10, 0.01}}});
  EXPECT_NEAR(by_work.work, 3, 0.05) << "nearly all of it was work";
  EXPECT_NEAR(by_work.launches, 1, 0.01) << "of launches nothing was learnt";
  const Speed by_launches = fit_speed(std::vector{MeasuredRun{kStartUp_s + 30, {0.01, 10}}});
  EXPECT_NEAR(by_launches.work, 1, 0.01);
  EXPECT_NEAR(by_launches.launches, 3, 0.05);
}

/// Ten runs of one model say nothing of others: both parts move alike, and a larger model is not predicted by launches.
TEST(FitSpeed, DoesNotTellThePartsApartByOneModel) {
  const Speed found = fit_speed(std::vector<MeasuredRun>(10, MeasuredRun{kStartUp_s + 40, {10, 10}}));
  EXPECT_NEAR(found.work, 2, 0.05);
  EXPECT_NEAR(found.launches, 2, 0.05);
}

TEST(FitSpeed, StaysPositiveWhateverTheRunsSay) {
  std::vector<MeasuredRun> runs;
  for (const double work_s : {1.0, 10.0, 100.0, 1000.0})
    runs.push_back({kStartUp_s + std::pow(work_s, 1.2), {work_s, 40}});
  const Speed found = fit_speed(runs);
  EXPECT_GT(found.work, 0);
  EXPECT_GT(found.launches, 0);
  EXPECT_GT(fit_speed(std::vector{MeasuredRun{1.0, {0.1, 0.1}}}).work, 0) << "shorter than a start-up";
}

TrialSpec published(const char* name) {
  TrialSpec trial;
  trial.model = *named_model(name);
  trial.train.steps = 1000;
  return trial;
}

RooflineTime training(const TrialSpec& trial, const DeviceShare& devices) {
  return roofline(trial, {work_of(trial).training_macs, 0}, devices);
}

const DeviceShare kH100{1, 1, 1, "NVIDIA H100 80GB HBM3"};

/// The data sheet's 989 TFLOPS of dense bf16 at two FLOPs a MAC, of which 0.4 are expected.
TEST(Roofline, OfALargeModelIsItsArithmetic) {
  const TrialSpec trial = published("DiT-XL/2");
  const double flops = training_flops_per_image(trial.shape()) * 256 * 1000;
  EXPECT_NEAR(training(trial, kH100).work_s / (flops / (0.4 * 989e12)), 1, 1e-9);
}

TEST(Roofline, OfATinyBatchIsItsMemoryTraffic) {
  TrialSpec trial = published("DiT-XL/2");
  trial.train.global_batch = 1;
  const auto parameters = static_cast<double>(count_parameters(trial.shape()).trainable);
  const double least_s = 1000 * 48 * parameters / (0.7 * 3.35e12);
  EXPECT_GT(training(trial, kH100).work_s, least_s);
  EXPECT_LT(training(trial, kH100).work_s, 1.2 * least_s) << "activations of one image are little beside the state";
}

TEST(Roofline, GrowsLessThanTheModelWhereLaunchesBind) {
  const DeviceShare core{1, 1, 0, {}};
  TrialSpec small = published("DiT-S/8");
  small.model.width = 96;
  TrialSpec wider = small;
  wider.model.width = 192;
  EXPECT_EQ(training(small, core).launches_s, training(wider, core).launches_s);
  EXPECT_GT(training(wider, core).work_s, 2 * training(small, core).work_s);
}

TEST(Roofline, OfAGangSharesTheBatchAndSumsGradients) {
  const TrialSpec trial = published("DiT-XL/2");
  DeviceShare gang = kH100;
  gang.processes = gang.gpus = 4;
  const double alone_s = training(trial, kH100).work_s;
  const auto parameters = static_cast<double>(count_parameters(trial.shape()).trainable);
  const double sums_s = 1000 * 2 * 0.75 * 4 * parameters / gang.rates().link_bytes_per_s;
  EXPECT_NEAR(training(trial, gang).work_s, alone_s / 4 + sums_s, 1e-9 * alone_s);
}

TEST(Roofline, RunsFp32WithoutTensorCores) {
  TrialSpec trial = published("DiT-B/4");
  const double bf16_s = training(trial, kH100).work_s;
  trial.train.precision = "fp32";
  EXPECT_NEAR(training(trial, kH100).work_s, bf16_s * 989 / 67, 0.01 * bf16_s);
}

TEST(DeviceRates, KnowNamesByWholeWords) {
  EXPECT_TRUE(is_known_gpu("NVIDIA A100-SXM4-80GB"));
  EXPECT_TRUE(is_known_gpu("NVIDIA GeForce RTX 4090"));
  EXPECT_FALSE(is_known_gpu("NVIDIA L400")) << "not an L4, nor an L40S";
  EXPECT_FALSE(is_known_gpu(""));
  EXPECT_EQ(gpu_rates("").bf16_macs_per_s, gpu_rates("Voodoo").bf16_macs_per_s);
  EXPECT_GT(gpu_rates("NVIDIA A100-SXM4-80GB").bytes_per_s, gpu_rates("NVIDIA A100-SXM4-40GB").bytes_per_s);
}

}  // namespace
}  // namespace ditscale::sweeps
