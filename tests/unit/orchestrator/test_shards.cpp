#include <map>
#include <set>

#include <gtest/gtest.h>

#include "common/error.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {
namespace {

sweeps::Sweep sweep_of_sizes() {
  return sweeps::expand_sweep(common::parse_json(
      R"({"name": "demo", "base": {"model": {"heads": 2, "patch": 7}, "train": {"steps": 100}},
          "grid": {"model.width": [16, 32, 64, 128], "model.depth": [1, 2, 4, 8], "seed": [0, 1]}})",
      "demo.json"));
}

double seconds_of(const sweeps::Sweep& sweep) {
  double sum_s = 0;
  for (const sweeps::Cell& cell : sweep.cells) {
    sum_s += sweeps::predicted_s(cell.trial);
  }
  return sum_s;
}

TEST(Shards, HaveEachCellOnceAndAboutTheSameWork) {
  const sweeps::Sweep whole = sweep_of_sizes();
  std::multiset<common::TrialId> cells;
  for (int number = 1; number <= 3; ++number) {
    const sweeps::Sweep shard = shard_of(whole, {number, 3});
    EXPECT_EQ(shard.name, "demo.shard-" + std::to_string(number) + "-of-3");
    for (const sweeps::Cell& cell : shard.cells) cells.insert(cell.id);
    // Graham's bound for longest first on three machines is 11/9 of the best; the best cannot beat the mean.
    EXPECT_LE(seconds_of(shard), 11.0 / 9.0 * seconds_of(whole) / 3);
  }
  EXPECT_EQ(cells.size(), whole.cells.size());
  EXPECT_EQ(std::set<common::TrialId>(cells.begin(), cells.end()).size(), whole.cells.size());
}

TEST(Shards, CountATrialOfManyDevicesAsOften) {
  const sweeps::Sweep whole = sweeps::expand_sweep(common::parse_json(
      R"({"name": "demo", "base": {"model": {"heads": 2, "patch": 7, "width": 16}, "train": {"steps": 100}},
          "include": [{"resources.gpus": 8}, {"seed": 1}, {"seed": 2}, {"seed": 3}]})",
      "demo.json"));
  const double gang_s = sweeps::predicted_s(whole.cells[0].trial), alone_s = sweeps::predicted_s(whole.cells[1].trial);
  ASSERT_LT(gang_s, 2 * alone_s) << "by seconds it would get another trial beside it";
  ASSERT_GT(8 * gang_s, 3 * alone_s);
  EXPECT_EQ(shard_of(whole, {1, 2}).cells.size(), 1U);
  EXPECT_EQ(shard_of(whole, {2, 2}).cells.size(), 3U);
}

TEST(Shards, AreRefusedWhenThereAreMoreThanCells) {
  EXPECT_THROW((void)shard_of(sweep_of_sizes(), {1, 33}), common::UsageError);
}

TEST(Shards, AreWrittenAsWhichOfHowMany) {
  EXPECT_EQ(parse_shard("2/4").number, 2);
  EXPECT_EQ(parse_shard("2/4").count, 4);
  for (const char* wrong : {"", "2", "0/4", "5/4", "a/b", "2/", "/4", "-1/4", "2/4/6"}) {
    EXPECT_THROW((void)parse_shard(wrong), common::UsageError) << wrong;
  }
}

}  // namespace
}  // namespace ditscale::orchestrator
