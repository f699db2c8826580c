#include "analysis/queries/tuning.hpp"

#include <deque>

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
  [[nodiscard]] std::vector<std::string> warnings(const std::string& metric = "fid") const {
    return tuning_warnings(points_, metric);
  }

 private:
  /// Points refer to them.
  std::deque<StudyTrial> trials_;
  std::vector<ScorePoint> points_;
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

TEST_F(Tuning, ABestBetweenOthersIsFine) {
  for (const auto& [batch, score] : {std::pair{32, 22.0}, {64, 20.0}, {128, 25.0}})
    trained("small", 1e-3, batch, score);
  EXPECT_THAT(warnings(), IsEmpty());
}

}  // namespace
}  // namespace ditscale::analysis
