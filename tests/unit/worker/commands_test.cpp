#include "worker/commands/commands.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "worker/commands/bench_trial.hpp"

namespace ditscale::worker {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Runs the program's command line without the program.
int run(const std::string& arguments) {
  CLI::App app;
  Context context;
  add_commands(app, context);
  app.parse(arguments);
  return context.action();
}

TEST(BenchTrial, IsASmallModelUnlessToldOtherwise) {
  const sweeps::TrialSpec trial = bench_trial({"train.global_batch=4", "model.patch=2"});
  EXPECT_EQ(trial.model, (sweeps::ModelSpec{.depth = 6, .width = 128, .heads = 4, .patch = 2}));
  EXPECT_EQ(trial.train.global_batch, 4);
}

TEST(BenchTrial, TakesEverythingOfAPublishedSize) {
  for (const char* text : {"model.name=DiT-S/2", "model=DiT-S/2", "model=\"DiT-S/2\"", R"(model={"name":"DiT-S/2"})"}) {
    EXPECT_EQ(bench_trial({text}).model, *sweeps::named_model("DiT-S/2")) << text;
  }
}

TEST(BenchTrial, ChangesAPublishedSizeInAnyOrder) {
  sweeps::ModelSpec expected = *sweeps::named_model("DiT-B/2");
  expected.patch = 8;
  EXPECT_EQ(bench_trial({"model.name=DiT-B/2", "model.patch=8"}).model, expected);
  EXPECT_EQ(bench_trial({"model.patch=8", "model.name=DiT-B/2"}).model, expected);
  EXPECT_EQ(bench_trial({"model=DiT-B/2", "model.patch=8"}).model, expected);
}

TEST(BenchTrial, RefusesASizeThatIsNotPublished) {
  EXPECT_THAT([] { (void)bench_trial({"model.name=DiT-XL/3"}); },
              ThrowsMessage<common::ConfigError>(HasSubstr("DiT-XL/2")));
}

TEST(DescribeCommand, ListsThePublishedSizesWhenThereIsNoSuchSizeOrFile) {
  for (const char* name : {"DiT-XL/3", "DiT-H/2", "trial_that_is_not_there.json"}) {
    EXPECT_THAT([&] { run(std::string("describe ") + name); },
                ThrowsMessage<common::UsageError>(AllOf(HasSubstr(name), HasSubstr("DiT-S/8"), HasSubstr("DiT-XL/2"))));
  }
}

TEST(Commands, SampleRefusesACheckpointThatIsNotThere) {
  EXPECT_THAT([] { run("sample not_there.h5 --device cpu"); }, ThrowsMessage<common::Error>(HasSubstr("not_there.h5")));
}

}  // namespace
}  // namespace ditscale::worker
