#include "analysis/figures/run_figures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ditscale::analysis {
namespace {

using ::testing::ElementsAre;

class RunFigures : public ::testing::Test {
 protected:
  void attempt(const std::string& devices, double from_s, double to_s, results::TrialState state) {
    results::AttemptRecord record;
    record.trial = common::TrialId("0123456789abcdef");
    record.host = "a";
    record.devices = devices;
    record.started_s = from_s;
    record.ended_s = to_s;
    record.predicted_s = 50;
    record.state = state;
    study_.attempts.push_back(record);
  }

  Study study_;
};

TEST_F(RunFigures, AGangIsInTheLaneOfEachOfItsDevices) {
  attempt("gpu 0, cpu 0", 0, 100, results::TrialState::kSucceeded);
  attempt("gpu 1, cpu 5", 0, 100, results::TrialState::kSucceeded);
  attempt("gpu 0,1, cpu 3,4", 100, 200, results::TrialState::kSucceeded);
  EXPECT_THAT(gantt(study_).y.categories, ElementsAre("a gpu 0", "a gpu 1"));
  const Utilisation use = utilisation(study_);
  EXPECT_EQ(use.num_devices, 2U);
  EXPECT_DOUBLE_EQ(use.share(), 1);
  attempt("a: gpu 0, cpu 0; b: gpu 0, cpu 0,1", 200, 300, results::TrialState::kSucceeded);
  attempt("cpu 7", 300, 400, results::TrialState::kSucceeded);
  EXPECT_THAT(gantt(study_).y.categories, ElementsAre("a cpu 7", "a gpu 0", "a gpu 1", "b gpu 0"));
}

TEST_F(RunFigures, CoresHeldTogetherAreOneLaneButCountEach) {
  attempt("a: cpu 2,3,4,5; b: cpu 0,1,7", 0, 60, results::TrialState::kSucceeded);
  attempt("cpu 10", 0, 60, results::TrialState::kSucceeded);
  attempt("cpu 9", 60, 120, results::TrialState::kSucceeded);
  const Figure figure = gantt(study_);
  EXPECT_THAT(figure.y.categories, ElementsAre("a cpu 2-5", "a cpu 9", "a cpu 10", "b cpu 0-1,7"));
  EXPECT_EQ(figure.table.rows.size(), 3U) << "one for each attempt";
  EXPECT_EQ(figure.table.rows[0][3], "a cpu 2-5; b cpu 0-1,7");
  EXPECT_EQ(utilisation(study_).num_devices, 9U);
}

TEST_F(RunFigures, BarsAreInAFittingUnitAndApart) {
  attempt("cpu 0", 1000, 1060, results::TrialState::kSucceeded);
  attempt("cpu 0", 1060, 1120, results::TrialState::kSucceeded);
  Figure figure = gantt(study_);
  EXPECT_EQ(figure.x.label, "seconds since the first start");
  EXPECT_LT(figure.series[0].points[1].x, 60);
  EXPECT_EQ(figure.series[0].points[2].x, 60);
  attempt("cpu 0", 1120, 1000 + 7200, results::TrialState::kSucceeded);
  figure = gantt(study_);
  EXPECT_EQ(figure.x.label, "minutes since the first start");
  EXPECT_EQ(figure.series[0].points[4].x, 2);
}

TEST_F(RunFigures, WhatWasStoppedEarlyOrPreemptedIsNotLost) {
  attempt("cpu 0", 0, 100, results::TrialState::kCancelled);
  attempt("cpu 0", 100, 200, results::TrialState::kPreempted);
  attempt("cpu 0", 200, 230, results::TrialState::kFailed);
  attempt("cpu 0", 230, 240, results::TrialState::kLost);
  EXPECT_EQ(utilisation(study_).lost_s, 40);
}

TEST_F(RunFigures, PredictionsAreHeldAgainstWhatReachedItsEnd) {
  attempt("cpu 0", 0, 10, results::TrialState::kPreempted);
  EXPECT_TRUE(predicted_against_actual_cost(study_).empty());
  attempt("cpu 0", 10, 60, results::TrialState::kSucceeded);
  EXPECT_EQ(predicted_against_actual_cost(study_).table.rows.size(), 1U);
}

}  // namespace
}  // namespace ditscale::analysis
