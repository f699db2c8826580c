#include "analysis/queries/tuning.hpp"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ditscale::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Tuning : public ::testing::Test {
 protected:
  void trained(const std::string& model, double lr, int batch, double score) {
    StudyTrial& trial = trials_.emplace_back();
    trial.model = model;
    trial.stored_spec = results::StoredJson(common::Json{{"train", {{"lr", lr}, {"global_batch", batch}}}}.dump());
    points_.push_back({&trial, 1, 1.0, score});
  }
  void diverged(const std::string& model, double lr) {
    trained(model, lr, 64, 0);
    diverged_.push_back(points_.back().trial);
    points_.pop_back();
  }
  /// Model and axes alone.
  void cell(std::int64_t width, const common::Json& axes) {
    StudyTrial& trial = trials_.emplace_back();
    trial.stored_spec = results::StoredJson(common::Json{{"model", {{"width", width}}}}.dump());
    trial.stored_axes = results::StoredJson(axes.dump());
    points_.push_back({&trial, 1, 1.0, 30});
  }
  [[nodiscard]] std::vector<std::string> mixed() const { return mixed_warnings(points_); }
  [[nodiscard]] std::vector<std::string> warnings(const std::string& metric = "fid") const {
    return tuning_warnings(points_, metric, diverged_);
  }

 private:
  /// Points refer to them.
  std::deque<StudyTrial> trials_;
  std::vector<ScorePoint> points_;
  std::vector<const StudyTrial*> diverged_;
};

TEST_F(Tuning, OneLearningRateForAllSizesIsDoubtful) {
  trained("small", 1e-3, 64, 30);
  trained("large", 1e-3, 64, 20);
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("all sizes were trained with train.lr = 0.001")));
}

TEST_F(Tuning, ABestLearningRateAtTheEdgeAsksForMore) {
  for (const auto& [lr, score] : {std::pair{1e-4, 30.0}, {1e-3, 20.0}, {1e-2, 25.0}}) trained("small", lr, 64, score);
  for (const auto& [lr, score] : {std::pair{1e-4, 30.0}, {1e-3, 20.0}, {1e-2, 15.0}}) trained("large", lr, 64, score);
  EXPECT_THAT(warnings(),
              ElementsAre("the best train.lr lies at the edge of those tried for large: try values beyond it"));
}

TEST_F(Tuning, OfAScoreWhereHigherIsBetterTheHighestIsTheBest) {
  for (const auto& [lr, score] : {std::pair{1e-4, 30.0}, {1e-3, 20.0}, {1e-2, 25.0}}) trained("small", lr, 64, score);
  EXPECT_THAT(warnings("inception_score"), ElementsAre(HasSubstr("the best train.lr lies at the edge")));
}

TEST_F(Tuning, SoDoesABestBatch) {
  for (const auto& [batch, score] : {std::pair{32, 18.0}, {64, 20.0}, {128, 25.0}})
    trained("small", 1e-3, batch, score);
  EXPECT_THAT(warnings(),
              ElementsAre(HasSubstr("the best train.global_batch lies at the edge of those tried for small")));
}

TEST_F(Tuning, AValueThatDivergedWasTried) {
  trained("small", 1e-3, 64, 30);
  trained("small", 3e-3, 64, 20);
  EXPECT_THAT(warnings(), IsEmpty()) << "of two values one is always the best";
  diverged("small", 10);
  EXPECT_THAT(warnings(), IsEmpty());
  diverged("small", 2e-3);
  diverged("small", 2.5e-3);
  trained("small", 20, 64, 10);
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("the best train.lr lies at the edge")));
}

TEST_F(Tuning, OfManyModelsAFewAreNamed) {
  for (int i = 0; i < 16; ++i) {
    for (const double lr : {1e-4, 1e-3, 1e-2}) trained(fmt::format("d{:02}", i), lr, 64, -lr);
  }
  EXPECT_THAT(warnings(), ElementsAre(HasSubstr("tried for d00, d01, d02, d03 and 12 more: try")));
}

TEST_F(Tuning, AxesThatDifferAmongTrialsOfOneSizeAreMixed) {
  cell(64, {{"model.width", 64}, {"train.lr", 1e-3}, {"seed", 0}});
  cell(64, {{"model.width", 64}, {"train.lr", 1e-3}, {"seed", 1}});
  cell(128, {{"model.width", 128}, {"train.lr", 2e-3}, {"seed", 0}});
  EXPECT_THAT(mixed(), IsEmpty()) << "each size has a rate of its own";
  cell(128, {{"model.width", 128}, {"train.lr", 4e-3}, {"model.block", "adaln"}, {"seed", 0}});
  EXPECT_THAT(mixed(), ElementsAre(HasSubstr("differ in train.lr:")));
  cell(64, {{"model.width", 64}, {"model.block", "adaln"}});
  cell(64, {{"model.width", 64}, {"model.block", "adaln_zero"}});
  EXPECT_THAT(mixed(), ElementsAre(HasSubstr("differ in model.block, train.lr:")));
}

TEST_F(Tuning, ABestBetweenOthersIsFine) {
  for (const auto& [batch, score] : {std::pair{32, 22.0}, {64, 20.0}, {128, 25.0}})
    trained("small", 1e-3, batch, score);
  EXPECT_THAT(warnings(), IsEmpty());
}

}  // namespace
}  // namespace ditscale::analysis
