#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/json_document.hpp"
#include "orchestrator/cli/commands.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::HasSubstr;

class PlanCommand : public ::testing::Test {
 protected:
  PlanCommand() { std::filesystem::create_directories(folder_); }
  ~PlanCommand() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] SweepChoice small_sweep() const { return sweep_of(R"({"depth": 1, "width": 16, "heads": 2})"); }
  /// Weights that no machine's memory holds.
  [[nodiscard]] SweepChoice huge_sweep() const { return sweep_of(R"({"depth": 1000, "width": 65536, "heads": 1024})"); }

  [[nodiscard]] common::Json planned(PlanOptions options) {
    options.json = true;
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(plan_command(std::move(options), Environment()), common::ExitCode::kDone);
    return common::Json::parse(::testing::internal::GetCapturedStdout());
  }
  [[nodiscard]] static std::string refusal(const PlanOptions& options) {
    try {
      (void)plan_command(options, Environment());
    } catch (const common::UsageError& error) {
      return error.what();
    }
    return "was accepted";
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("ditscale-plan-" + std::to_string(::getpid()));

 private:
  [[nodiscard]] SweepChoice sweep_of(const std::string& model) const {
    SweepChoice choice;
    choice.file = folder_ / "sweep.json";
    choice.runs = folder_ / "runs";
    common::write_file_atomically(choice.file, R"({"name": "planned", "base": {"model": {"patch": 7}}, "seeds": 8,
                                                   "include": [{"model": )" +
                                                   model + R"(, "model.patch": 7}]})");
    return choice;
  }
};

TEST_F(PlanCommand, UsesOnlySoManyDevicesOfEachDescribedNode) {
  PlanOptions options;
  options.sweep = small_sweep();
  options.cluster = {2, 16, 4};
  options.limits.cpus = 2;
  const common::Json plan = planned(options);
  const double seconds = plan["trials"][0]["predicted_s"].get<double>();
  EXPECT_NEAR(plan["makespan_bound_s"].get<double>(), 2 * seconds, 0.01 * seconds) << "8 trials on 4 cores";
}

TEST_F(PlanCommand, RefusesMoreDevicesThanAreDescribed) {
  PlanOptions options;
  options.sweep = small_sweep();
  options.cluster = {2, 16, std::nullopt};
  options.limits.gpus = 4;
  EXPECT_EQ(refusal(options), "--gpus 4: each of the nodes described has 0; --gpus-per-node describes more");
  options.limits = {};
  options.limits.cpu_list = "0";
  EXPECT_THAT(refusal(options), HasSubstr("--slots-cpus names processors of this machine"));
}

TEST_F(PlanCommand, AndADryRunRefuseWhatCannotFit) {
  PlanOptions plan;
  plan.sweep = huge_sweep();
  RunOptions run;
  run.sweep = huge_sweep();
  run.dry_run = true;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(plan_command(plan, Environment()), common::ExitCode::kError);
  EXPECT_EQ(run_command(run, Environment(), {}), common::ExitCode::kError);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("even with train.micro_batch=1"));
}

}  // namespace
}  // namespace ditscale::orchestrator
