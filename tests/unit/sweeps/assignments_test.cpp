#include "sweeps/spec/assignments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/error.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::sweeps {
namespace {

using testing::HasSubstr;

constexpr const char* kSweep = R"({
  "name": "x",
  "base": {"model": {"patch": 7, "heads": 4},
           "train": {"steps": 10},
           "evaluate": [{"steps": 50}]},
  "grid": {"model.width": [64, 128]}
})";

Sweep with(const std::vector<std::string>& assignments, const std::string& sweep = kSweep) {
  return expand_sweep(common::parse_json(sweep, "x.json"), assignments);
}

std::string refusal(const std::vector<std::string>& assignments, const std::string& sweep = kSweep) {
  try {
    (void)with(assignments, sweep);
  } catch (const common::Error& error) {
    return error.what();
  }
  return "was accepted";
}

TEST(Set, ReachesTheBaseOfEveryCell) {
  const Sweep sweep = with({"train.steps=20", "train.lr=1e-3", "data.flip=false", "data.root=/some where",
                            "evaluate[0].steps=25", "seed=7", "train.clip_norm=null"});
  ASSERT_EQ(sweep.cells.size(), 2U);
  for (const Cell& cell : sweep.cells) {
    EXPECT_EQ(cell.trial.train.steps, 20);
    EXPECT_EQ(cell.trial.train.lr, 1e-3);
    EXPECT_FALSE(cell.trial.data.flip);
    EXPECT_EQ(cell.trial.data.root, "/some where");
    EXPECT_EQ(cell.trial.evaluate.at(0).steps, 25);
    EXPECT_EQ(cell.trial.seed, 7);
  }
}

TEST(Set, TheLastOfTwoWins) { EXPECT_EQ(with({"train.steps=20", "train.steps=30"}).cells[0].trial.train.steps, 30); }

TEST(Set, ReachesTheKeysOfTheSweep) {
  EXPECT_EQ(with({"name=other"}).name, "other");
  EXPECT_EQ(with({"seeds=3"}).cells.size(), 6U);
  EXPECT_EQ(with({"grid.model.width=[32]"}).cells.size(), 1U);
  EXPECT_EQ(with({"grid.model.depth=[1, 2, 3]"}).cells.size(), 6U);
  EXPECT_EQ(with({"grid={}", "model.width=32"}).cells.size(), 1U);
  EXPECT_EQ(with({"exclude=[{\"model.width\": 64}]"}).cells.size(), 1U);
  EXPECT_EQ(with({"include=[{\"model.depth\": 3}]"}).cells.size(), 3U);
  const Sweep judged = with({"early_stopping.at_steps=[5]", "early_stopping.keep=0.25", "train.log_every_steps=5"});
  ASSERT_TRUE(judged.early_stopping);
  EXPECT_EQ(judged.early_stopping->at_steps, std::vector<std::int64_t>{5});
  EXPECT_EQ(judged.early_stopping->keep, 0.25);
  EXPECT_EQ(with({"zip=[{\"model.depth\": [1, 2]}]"}).cells.size(), 4U);
  EXPECT_EQ(with({"base.train.steps=33"}).cells[0].trial.train.steps, 33);
}

TEST(Set, ReachesOneSettingOfAnIncludedCellAZipGroupOrARule) {
  const std::string sweep = R"({"name": "x", "base": {"model": {"patch": 7, "heads": 4, "depth": 3}},
    "zip": [{"model.width": [64, 128], "train.lr": [1e-3, 1e-4]}],
    "include": [{"model.width": 96}, {"model": {"patch": 14, "width": 96}}],
    "exclude": [{"model.width": 128}]})";
  const Sweep included = with({"include[0].model.width=32", "include[1].model.width=48"}, sweep);
  ASSERT_EQ(included.cells.size(), 3U);
  EXPECT_EQ(included.cells[1].label(), "model.width=32");
  EXPECT_EQ(included.cells[1].trial.model.width, 32);
  EXPECT_EQ(included.cells[1].trial.model.depth, 3) << "the base stays";
  EXPECT_EQ(included.cells[2].trial.model.width, 48);
  EXPECT_EQ(included.cells[2].trial.model.patch, 14);
  EXPECT_EQ(with({"zip[0].model.width=[32, 128]"}, sweep).cells[0].trial.model.width, 32);
  EXPECT_EQ(with({"exclude[0].model.width=64"}, sweep).cells[0].trial.model.width, 128);
  EXPECT_EQ(with({"include[0].evaluate[0].steps=25", "evaluate=[{}]"}, sweep).cells[1].trial.evaluate[0].steps, 25);
  EXPECT_THAT(refusal({"include[0].model.width=62"}, sweep),
              HasSubstr("width 62 is not a multiple of heads 4 (in cell model.width=62)"));
  EXPECT_THAT(refusal({"include[2].model.width=64"}, sweep), HasSubstr("there is no element 2"));
  EXPECT_THAT(refusal({"include[0].model.widht=64"}, sweep),
              HasSubstr("--set include[0].model.widht=64: include[0].model.widht: unknown key"));
}

TEST(Set, MakesWhatTheFileLeavesOut) {
  EXPECT_EQ(with({"grid.model.depth=[1, 2]", "model.patch=7"}, R"({"name": "x"})").cells.size(), 2U);
}

TEST(Set, APublishedNameMayBeRefined) {
  const char* sweep = R"({"name": "x", "base": {"data": {"name": "imagenet_latents"}, "model": "DiT-S/2"}})";
  EXPECT_EQ(with({"model.patch=4"}, sweep).cells[0].trial.model.patch, 4);
  EXPECT_EQ(with({"model=DiT-B/8"}, sweep).cells[0].trial.model.width, 768);
  EXPECT_THAT(refusal({"data.name.x=1"}, sweep), HasSubstr("base.data.name.x: \"imagenet_latents\" stands on the way"));
}

TEST(Set, ErrorsNameTheAssignmentNotALine) {
  EXPECT_EQ(refusal({"train.steps=0"}),
            "--set train.steps=0: base.train.steps: 0 is not allowed here; allowed: from 1 to 1000000000000 (in cell "
            "model.width=64)");
  EXPECT_THAT(refusal({"train.stesp=3"}),
              HasSubstr("--set train.stesp=3: base.train.stesp: unknown key; did you mean"));
  EXPECT_THAT(refusal({"modle.depth=3"}), HasSubstr("--set modle.depth=3: base.modle: unknown key; did you mean"));
  EXPECT_THAT(refusal({"grid.model.width=64"}),
              HasSubstr("--set grid.model.width=64: grid.model.width: an axis is a list"));
  EXPECT_THAT(refusal({"grid.model.width=[64, 63]"}),
              HasSubstr("width 63 is not a multiple of heads 4 (in cell model.width=63)"));
  EXPECT_THAT(refusal({"grid.model.width=[64, -1]"}),
              HasSubstr("--set grid.model.width=[64, -1]: grid.model.width[1]: -1 is not allowed"));
  EXPECT_THAT(refusal({"name=a/b"}), HasSubstr("--set name=a/b: name: \"a/b\" cannot name a folder"));
  EXPECT_THAT(refusal({"train.lr=nan"}), HasSubstr("a number is needed, found \"nan\""));
  EXPECT_THAT(refusal({"train={\"lr\": 1, \"steps\": -1}"}), HasSubstr("base.train.steps: -1 is not allowed"));
}

TEST(Set, TheRestKeepsItsLines) {
  EXPECT_THAT(refusal({"train.lr=1"}, "{\"name\": \"x\",\n \"base\": {\"train\": {\n\"steps\": 0}}}"),
              HasSubstr("x.json:3: base.train.steps: 0"));
}

TEST(Set, WhatAnAxisWouldOverwriteIsRefusedNotLost) {
  EXPECT_THAT(refusal({"model.width=32"}), HasSubstr("--set model.width=32: grid.model.width sets model.width again"));
  const std::string zipped = R"({"name": "x", "base": {"model": {"patch": 7}}, "zip": [{"train.lr": [1, 2]}]})";
  EXPECT_THAT(refusal({"train.lr=3"}, zipped), HasSubstr("zip[0].train.lr sets train.lr again"));
  const std::string whole = R"({"name": "x", "grid": {"model": [{"patch": 7}]}, "seeds": 2})";
  EXPECT_THAT(refusal({"model.depth=3"}, whole), HasSubstr("grid.model sets model again"));
  EXPECT_THAT(refusal({"seed=3"}, whole), HasSubstr("seeds sets seed again"));
  const std::string included = R"({"name": "x", "base": {"model": {"patch": 7}}, "include": [{"train.lr": 1}]})";
  EXPECT_THAT(refusal({"train.lr=3"}, included), HasSubstr("include[0] sets train.lr again"));
}

TEST(Set, WhatIsNoAssignmentIsAUsageError) {
  for (const char* text : {"", "train.steps", "=3", "train.steps=[1", "x={\"a\": 1,}", "x=\"open",
                           "model={\"a\":1,\"a\":2}", "data.root=\xff"})
    EXPECT_THROW((void)with({text}), common::UsageError) << text;
}

TEST(Set, PathsThatCannotBeAreRefused) {
  for (const char* text : {"model..width=1", ".x=1", "x.=1", "model[x]=1", "evaluate[0=1", "evaluate[-1].steps=1",
                           "evaluate[99999999999999999999].steps=1", "evaluate[0]x=1"})
    EXPECT_THAT(refusal({text}), HasSubstr("is no path; paths look like model.width or evaluate[0].steps")) << text;
  EXPECT_THAT(refusal({"evaluate[1].steps=3"}), HasSubstr("there is no element 1"));
  EXPECT_THAT(refusal({"train.steps.x=3"}), HasSubstr("10 stands on the way"));
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_THAT(refusal({deep + "=1"}), HasSubstr("is no path"));
}

TEST(Set, TextIsJsonWhereItIsAndAStringOtherwise) {
  EXPECT_EQ(parse_assignment("a=1").second, 1);
  EXPECT_EQ(parse_assignment("a=1e3").second, 1000.0);
  EXPECT_EQ(parse_assignment("a=true").second, true);
  EXPECT_EQ(parse_assignment("a=null").second, nullptr);
  EXPECT_EQ(parse_assignment("a=\"1\"").second, "1");
  EXPECT_EQ(parse_assignment("a=DiT-XL/2").second, "DiT-XL/2");
  EXPECT_EQ(parse_assignment("a=b=c").second, "b=c");
  EXPECT_EQ(parse_assignment("a=").second, "");
  EXPECT_EQ(parse_assignment("a=//host/share").second, "//host/share");
  EXPECT_EQ(parse_assignment("a=[1, 2]").second, common::Json({1, 2}));
}

TEST(JsonPath, TellsNullFromNothing) {
  const common::Json json{{"a", nullptr}, {"b", {1, {{"c", 2}}}}};
  EXPECT_NE(find_path(json, "a", ""), nullptr);
  EXPECT_EQ(find_path(json, "x", ""), nullptr);
  EXPECT_EQ(find_path(json, "a.b", ""), nullptr);
  EXPECT_EQ(find_path(json, "b[2]", ""), nullptr);
  EXPECT_EQ(value_at(json, "b[1].c"), 2);
  EXPECT_EQ(value_at(json, "b.c"), nullptr);
}

RC_GTEST_PROP(Set, RandomTextIsAppliedOrRefusedNeverWorse, (const std::string& path, const std::string& value)) {
  try {
    (void)with({path + "=" + value});
  } catch (const common::Error& error) {
    RC_ASSERT(common::valid_utf8(error.what()) == error.what());
  }
}

TEST(Set, MayTakeItsCellsFromAnExcludeRule) {
  constexpr const char* kExcluding = R"({
    "name": "x",
    "base": {"model": {"patch": 7, "heads": 4}},
    "grid": {"model.width": [64, 128]},
    "exclude": [{"model.width": 128, "seed": 0}]})";
  EXPECT_EQ(with({}, kExcluding).cells.size(), 1U);
  EXPECT_EQ(with({"grid.model.width=[64]"}, kExcluding).cells.size(), 1U);
  EXPECT_EQ(with({"grid={\"model.width\":[64]}"}, kExcluding).cells.size(), 1U);
  EXPECT_EQ(with({"seeds=[1,2]"}, kExcluding).cells.size(), 4U);
  EXPECT_EQ(with({"seed=3"}, kExcluding).cells.size(), 2U);
  // What is set has nothing to do with these.
  EXPECT_THAT(refusal({"train.steps=20", "exclude=[{\"model.width\":96}]"}, kExcluding),
              HasSubstr("{\"model.width\":96} takes no cell out; there are model.width: 64, 128"));
}

}  // namespace
}  // namespace ditscale::sweeps
