#include "worker/evaluation/score_report.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

using common::Json;
using testing::HasSubstr;

/// A score of the weights "w" by one metric.
Json score_of(const std::string& metric, double value, const std::string& settings_id = "s") {
  return {{"digest", "w"},
          {"settings_id", settings_id},
          {"values", {{metric, value}}},
          {"standard_errors", {{metric, value / 10}}},
          {"reasons", Json::object()},
          {"notes", {{metric, "of " + metric}}},
          {"covariance_rank", metric == "fid" ? Json(7) : Json(nullptr)}};
}

class Reports : public InScratchFolder {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return at("scores.json"); }
};

TEST_F(Reports, KeepTheOtherMetricsOfAScoreThatIsMadeAgain) {
  ScoreReport(file()).add(score_of("fid", 5));
  ScoreReport(file()).add(score_of("kid", 3));
  const auto both = ScoreReport(file()).find("w", "s", {"fid", "kid"});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ((*both)["values"], (Json{{"fid", 5.0}, {"kid", 3.0}}));
  EXPECT_EQ((*both)["standard_errors"], (Json{{"fid", 0.5}, {"kid", 0.3}}));
  EXPECT_EQ((*both)["notes"], (Json{{"fid", "of fid"}, {"kid", "of kid"}}));
  EXPECT_EQ((*both)["covariance_rank"], 7);
  ScoreReport(file()).add(score_of("kid", 4));
  EXPECT_EQ((*ScoreReport(file()).find("w", "s", {"kid"}))["values"], (Json{{"fid", 5.0}, {"kid", 4.0}}));
}

TEST_F(Reports, KeepWhatAnotherCommandAddsMeanwhile) {
  ScoreReport one(file()), other(file());
  one.add(score_of("fid", 5, "a"));
  other.add(score_of("fid", 6, "b"));
  EXPECT_TRUE(ScoreReport(file()).find("w", "a", {"fid"}).has_value());
  EXPECT_TRUE(ScoreReport(file()).find("w", "b", {"fid"}).has_value());
}

TEST_F(Reports, AreRefusedBeforeAnyWorkWhereTheyCannotBe) {
  EXPECT_THAT(message_of<common::ConfigError>([&] { ScoreReport report(at("nowhere/scores.json")); }),
              HasSubstr("there is no folder"));
  put(file(), "{}");
  EXPECT_THAT(message_of<common::CorruptData>([&] { ScoreReport report(file()); }), HasSubstr("is no list of scores"));
}

}  // namespace
}  // namespace ditscale::worker
