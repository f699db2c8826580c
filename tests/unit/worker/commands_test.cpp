#include "worker/commands/commands.hpp"

#include <gmock/gmock.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/worker/worker_command.hpp"
#include "worker/commands/bench_trial.hpp"

namespace ditscale::worker {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Runs the program's command line without the program.
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
    EXPECT_THAT([&] { run_worker(std::string("describe ") + name); },
                ThrowsMessage<common::UsageError>(AllOf(HasSubstr(name), HasSubstr("DiT-S/8"), HasSubstr("DiT-XL/2"))));
  }
}

TEST(DescribeCommand, TakesATrialsFolder) {
  const test::TemporaryFolder folder;
  common::write_file_atomically(folder.path() / "trial.json", sweeps::TrialSpec().to_json().dump());
  EXPECT_EQ(run_worker("describe " + folder.path().string()), 0);
}

TEST(Commands, SampleRefusesACheckpointThatIsNotThere) {
  EXPECT_THAT([] { run_worker("sample not_there.h5 --device cpu"); },
              ThrowsMessage<common::Error>(HasSubstr("not_there.h5")));
}

}  // namespace
}  // namespace ditscale::worker
