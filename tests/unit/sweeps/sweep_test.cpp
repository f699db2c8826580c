#include "sweeps/spec/sweep.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/error.hpp"

namespace ditscale::sweeps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Sweep expanded(const std::string& rest, const std::vector<std::string>& set = {}) {
  return expand_sweep(
      common::parse_json(R"({"name": "x", "base": {"model": {"patch": 7, "heads": 4}}, )" + rest + "}", "x.json"), set);
}

std::vector<std::string> labels_of(const Sweep& sweep) {
  std::vector<std::string> labels;
  for (const Cell& cell : sweep.cells) labels.push_back(cell.label());
  return labels;
}

std::vector<std::string> reasons_of(const Sweep& sweep) {
  std::vector<std::string> reasons;
  for (const ExcludedCell& cell : sweep.excluded) reasons.push_back(cell.reason);
  return reasons;
}

std::set<std::string> ids_of(const Sweep& sweep) {
  std::set<std::string> ids;
  for (const Cell& cell : sweep.cells) ids.insert(cell.id.str());
  return ids;
}

TEST(Sweep, TheLastAxisTurnsFastest) {
  EXPECT_THAT(labels_of(expanded(R"("grid": {"model.width": [64, 32], "model.depth": [2, 4]}, "seeds": 2)")),
              ElementsAre("model.depth=2 model.width=64 seed=0", "model.depth=2 model.width=64 seed=1",
                          "model.depth=2 model.width=32 seed=0", "model.depth=2 model.width=32 seed=1",
                          "model.depth=4 model.width=64 seed=0", "model.depth=4 model.width=64 seed=1",
                          "model.depth=4 model.width=32 seed=0", "model.depth=4 model.width=32 seed=1"));
}

TEST(Sweep, ZippedAxesAdvanceTogether) {
  EXPECT_THAT(labels_of(expanded(R"("zip": [{"model.depth": [2, 4], "model.width": [64, 128]}])")),
              ElementsAre("model.depth=2 model.width=64", "model.depth=4 model.width=128"));
}

TEST(Sweep, AxesReachTheTrial) {
  const Sweep sweep = expanded(R"("grid": {"train": [{"lr": 0.5, "steps": 7}], "model.width": [64]}, "seeds": [9])");
  ASSERT_EQ(sweep.cells.size(), 1U);
  const TrialSpec& trial = sweep.cells[0].trial;
  EXPECT_EQ(trial.train.lr, 0.5);
  EXPECT_EQ(trial.train.steps, 7);
  EXPECT_EQ(trial.model.width, 64);
  EXPECT_EQ(trial.model.patch, 7);
  EXPECT_EQ(trial.seed, 9);
}

TEST(Sweep, ANameGivenAsAnAxisMayBeRefinedByAnother) {
  const Sweep sweep = expand_sweep(common::parse_json(
      R"({"name": "x", "base": {"data": {"name": "imagenet_latents"}},
          "grid": {"model": ["DiT-S/8", "DiT-B/8"], "model.patch": [8, 2]}})",
      "x.json"));
  ASSERT_EQ(sweep.cells.size(), 4U);
  EXPECT_EQ(model_label(sweep.cells[3].trial.model), "DiT-B/2");
}

TEST(Sweep, WithoutAxesTheBaseIsTheOnlyCell) {
  const Sweep sweep = expanded(R"("grid": {})");
  EXPECT_THAT(labels_of(sweep), ElementsAre("base"));
}

TEST(Sweep, IncludedCellsStandOverTheBaseAndTakeTheSeeds) {
  EXPECT_THAT(labels_of(expanded(R"("grid": {"model.depth": [2]}, "seeds": [5, 6],
                                    "include": [{"model.width": 64}, {"model.width": 96, "seed": 1}])")),
              ElementsAre("model.depth=2 seed=5", "model.depth=2 seed=6", "model.width=64 seed=5",
                          "model.width=64 seed=6", "model.width=96 seed=1"));
}

TEST(Sweep, ExcludedCellsKeepTheirReason) {
  const Sweep sweep = expanded(R"("grid": {"model.depth": [2, 4, 6]}, "include": [{"model.depth": 6}],
                                  "exclude": [{"model.depth": 2}, {"model.depth": 4.0, "model.patch": 7}])");
  EXPECT_THAT(labels_of(sweep), ElementsAre("model.depth=6"));
  EXPECT_THAT(reasons_of(sweep),
              ElementsAre("excluded by {\"model.depth\":2}", "excluded by {\"model.depth\":4.0,\"model.patch\":7}",
                          "the same trial as " + sweep.cells[0].id.brief() + " above"));
}

TEST(Sweep, ARuleMayNameAFieldThatOnlySomeCellsHave) {
  EXPECT_EQ(
      expanded(R"("grid": {"evaluate": [[], [{"steps": 50}]]}, "exclude": [{"evaluate[0].steps": 50}])").cells.size(),
      1U);
}

TEST(Sweep, ARuleOnNothingMatchesOptionalFieldsThatAreAbsent) {
  const Sweep sweep = expanded(R"("grid": {"train.clip_norm": [null, 1]}, "exclude": [{"train.clip_norm": null}])");
  EXPECT_THAT(labels_of(sweep), ElementsAre("train.clip_norm=1"));
}

TEST(Sweep, SeedsAndStepsMayBeWrittenAsAnyWholeNumber) {
  EXPECT_EQ(expanded(R"("seeds": 2.0)").cells.size(), 2U);
  EXPECT_EQ(expanded(R"("seeds": [1e1])").cells[0].trial.seed, 10);
  const Sweep judged = expanded(R"("early_stopping": {"at_steps": [5e1, 100.0]})");
  EXPECT_THAT(judged.early_stopping->at_steps, ElementsAre(50, 100));
  EXPECT_THROW((void)expanded(R"("seeds": 2.5)"), common::ConfigError);
}

TEST(EarlyStopping, GroupsTrialsByTheirValuesWhateverSetThem) {
  const Sweep sweep = expanded(R"("grid": {"model.width": [48, 96]},
    "include": [{"model": {"patch": 7, "heads": 4, "depth": 2, "width": 48}},
                {"model": {"patch": 7, "heads": 4, "depth": 2, "width": 96}}],
    "early_stopping": {"at_steps": [100], "among": ["model.width"]})");
  std::vector<std::string> groups;
  for (const Cell& cell : sweep.cells) groups.push_back(sweep.early_stopping->group_of(cell));
  EXPECT_NE(groups[0], groups[1]);
  EXPECT_THAT(groups, ElementsAre(groups[0], groups[1], groups[0], groups[1]));
}

TEST(EarlyStopping, ComparesLossesOfOneObjectiveOnly) {
  const std::string objectives =
      R"("grid": {"objective.kind": ["ddpm", "flow"]}, "early_stopping": {"at_steps": [100]})";
  const Sweep by_loss = expanded(objectives);
  EXPECT_NE(by_loss.early_stopping->group_of(by_loss.cells[0]), by_loss.early_stopping->group_of(by_loss.cells[1]));
  EarlyStopping by_fid = *by_loss.early_stopping;
  by_fid.metric = "fid";
  EXPECT_EQ(by_fid.group_of(by_loss.cells[0]), by_fid.group_of(by_loss.cells[1]));
}

TEST(EarlyStopping, GroupsByAnAxisThatIsNoFieldOfAResolvedTrial) {
  const Sweep sweep = expand_sweep(common::parse_json(
      R"({"name": "x", "base": {"data": {"name": "imagenet_latents"}}, "grid": {"model.name": ["DiT-S/2", "DiT-B/2"]},
          "early_stopping": {"at_steps": [100], "among": ["model.name"]}})",
      "x.json"));
  EXPECT_NE(sweep.early_stopping->group_of(sweep.cells[0]), sweep.early_stopping->group_of(sweep.cells[1]));
}

TEST(Identity, TheSameCellInTwoSweepsHasTheSameId) {
  const Sweep one = expanded(R"("grid": {"model.depth": [2, 4]})");
  const Sweep other = expand_sweep(common::parse_json(
      R"({"name": "y", "description": "other", "base": {"seed": 0, "resources": {"cpus": 3}},
          "zip": [{"model": [{"depth": 4, "heads": 4, "patch": 7}]}]})",
      "y.json"));
  EXPECT_EQ(one.cells[1].id, other.cells[0].id);
}

TEST(Identity, AddingCellsChangesNoId) {
  const auto few = ids_of(expanded(R"("grid": {"model.depth": [2, 4]}, "seeds": 1)"));
  const auto more = ids_of(expanded(
      R"("grid": {"model.depth": [1, 2, 4], "model.width": [384, 64]}, "seeds": 3, "include": [{"seed": 9}])"));
  EXPECT_TRUE(std::includes(more.begin(), more.end(), few.begin(), few.end()));
  EXPECT_EQ(more.size(), 3U * 2U * 3U + 1U);
}

RC_GTEST_PROP(Sweep, TheProductHasTheSizeOfItsFactors, ()) {
  const auto count = [] { return *rc::gen::inRange<std::size_t>(1, 5); };
  const auto values = [](std::size_t n, int scale) {
    common::Json list = common::Json::array();
    for (std::size_t i = 1; i <= n; ++i) list.push_back(scale * static_cast<int>(i));
    return list;
  };
  const std::size_t widths = count(), depths = count(), warmups = count(), seeds = count();
  const common::Json sweep{{"name", "x"},
                           {"base", {{"model", {{"patch", 7}, {"heads", 4}}}}},
                           {"grid", {{"model.width", values(widths, 16)}, {"train.warmup_steps", values(warmups, 10)}}},
                           {"zip", {{{"model.depth", values(depths, 1)}, {"train.lr", values(depths, 1)}}}},
                           {"seeds", seeds}};
  const Sweep result = expand_sweep(common::parse_json(sweep.dump(), "x.json"));
  RC_ASSERT(result.cells.size() == widths * depths * warmups * seeds);
  RC_ASSERT(ids_of(result).size() == result.cells.size());
  RC_ASSERT(result.excluded.empty());
}

TEST(Sweep, TwentyThousandCellsExpand) {
  const Sweep sweep = expanded(R"("seeds": 10000, "grid": {"model.depth": [2, 4]})");
  EXPECT_EQ(sweep.cells.size(), 20'000U);
}

}  // namespace
}  // namespace ditscale::sweeps
