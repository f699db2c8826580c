#include "orchestrator/plan/disk.hpp"
#include "orchestrator/plan/plan.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "tests/unit/orchestrator/cluster_fixture.hpp"

namespace ditscale::orchestrator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

sweeps::Speed assumed(const Ask&) { return {}; }

sweeps::Cell cell_of(std::int64_t global_batch, sweeps::ResourceSpec resources = {1, 0}) {
  sweeps::Cell cell = make_cell(0, 1000, resources);
  cell.trial.train.global_batch = global_batch;
  cell.id = cell.trial.id();
  return cell;
}

/// Room for the state and the activations of so many images, to the byte.
double room_for_images(const sweeps::Cell& cell, std::int64_t images) {
  return process_memory_bytes(cell.trial, images);
}

Plan plan_of(const sweeps::Cell& cell, const Devices& devices, const DeviceMemory& memory) {
  sweeps::Sweep sweep;
  sweep.cells = {cell};
  return make_plan(sweep, {{1, "a", devices}}, assumed, {}, memory);
}

TEST(PlanMemory, CountsInFp32StateAndActivationsOfFourBytes) {
  const sweeps::Cell cell = cell_of(8);
  const auto shape = cell.trial.shape();
  EXPECT_EQ(process_memory_bytes(cell.trial, 8),
            static_cast<double>(sweeps::training_state_bytes(shape) + sweeps::activation_bytes(shape, 8, 4)));
}

/// As worker/checkpoint writes them: two buffers more in each checkpoint, and a file of two for each snapshot.
TEST(PlanMemory, CountsTheAveragesOfPostHocEma) {
  sweeps::Cell cell = cell_of(8);
  cell.trial.checkpoint.keep = 2;
  const double plain_bytes = process_memory_bytes(cell.trial, 8);
  const double plain_disk_bytes = plan_of(cell, make_devices(1), {}).disk_bytes;
  const sweeps::ParameterCount parameters = sweeps::count_parameters(cell.trial.shape());
  cell.trial.train.post_hoc_ema_every_steps = 300;  // of 1000 steps: at 300, 600, 900 and the end
  EXPECT_EQ(process_memory_bytes(cell.trial, 8) - plain_bytes, 2 * 4 * static_cast<double>(parameters.trainable));
  EXPECT_EQ(plain_disk_bytes, (2 + 1) * 4 * 4 * static_cast<double>(parameters.total));
  EXPECT_EQ(plan_of(cell, make_devices(1), {}).disk_bytes,
            ((2 + 1) * 6 + 4 * 2) * 4 * static_cast<double>(parameters.total));
}

/// As the trainer keeps them: one file of averaged weights for each step that has a score apart.
TEST(PlanMemory, CountsTheWeightsKeptForScoresApart) {
  sweeps::Cell cell = cell_of(8);
  cell.trial.evaluate.resize(1);
  const double plain_bytes = disk_bytes(cell.trial);
  for (const std::int64_t every : {300, 200, 600, 200}) {
    sweeps::EvaluateSpec& evaluate = cell.trial.evaluate.emplace_back();
    evaluate.every_steps = every;
    evaluate.apart = true;
  }
  // Of 1000 steps: 200, 300, 400, 600, 800, 900 and the end.
  const auto parameters = static_cast<double>(sweeps::count_parameters(cell.trial.shape()).total);
  EXPECT_EQ(disk_bytes(cell.trial) - plain_bytes, 7 * 4 * parameters);
  cell.trial.train.steps = 1'000'000'000'001;
  EXPECT_EQ(disk_bytes(cell.trial) - plain_bytes, (5e9 + 3'333'333'333 - 1'666'666'666 + 1) * 4 * parameters)
      << "counted, not listed";
}

TEST(PlanMemory, CountsTheResidualStreamOfAllTokensInContext) {
  sweeps::Cell cell = cell_of(8);
  cell.trial.model.block = sweeps::BlockDesign::kInContext;
  const auto shape = cell.trial.shape();
  const std::int64_t tokens = 16 + 2;  // 28 / 7 squared; timestep and class
  const auto in_two_bytes =
      static_cast<double>(sweeps::activation_bytes(shape, 8, 2) + 2 * sweeps::count_parameters(shape).trainable);
  const double kept = process_memory_bytes(cell.trial, 8, "bf16") -
                      static_cast<double>(sweeps::training_state_bytes(shape)) - in_two_bytes;
  EXPECT_EQ(kept, static_cast<double>(6 * 2 * 8 * tokens * shape.model.depth * shape.model.width));
}

/// Every value of two bytes would be the least that bf16 can need beside a state in fp32.
TEST(PlanMemory, NeedsLessInBf16ButKeepsItsStateAndResidualStream) {
  sweeps::Cell cell = cell_of(256, {1, 1});
  cell.trial.model = *sweeps::named_model("DiT-B/2");
  const auto shape = cell.trial.shape();
  const auto state = static_cast<double>(sweeps::training_state_bytes(shape));
  const double fp32 = process_memory_bytes(cell.trial, 256, "fp32") - state;
  const double bf16 = process_memory_bytes(cell.trial, 256, "bf16") - state;
  EXPECT_LT(bf16, 0.75 * fp32);
  EXPECT_GT(bf16, 0.5 * fp32);
  EXPECT_EQ(process_memory_bytes(cell.trial, 256), bf16 + state) << "auto is bf16 on a GPU";
  cell.trial.resources = {1, 0};
  EXPECT_EQ(process_memory_bytes(cell.trial, 256), fp32 + state) << "and fp32 on cores";
}

TEST(PlanMemory, FindsTheLargestMicroBatchThatDividesAProcessesShare) {
  const sweeps::Cell cell = cell_of(96, {1, 2});  // 48 images for each of two GPUs
  const Devices devices = make_devices(2, 2);
  for (const auto& [images, divisor] : {std::pair{48, 48}, {47, 24}, {24, 24}, {23, 16}, {11, 8}, {5, 4}, {1, 1}}) {
    const Plan plan = plan_of(cell, devices, {room_for_images(cell, images), std::nullopt});
    EXPECT_EQ(plan.rows[0].largest_micro_batch, divisor) << images;
    EXPECT_TRUE(plan.rows[0].refusal.empty());
    EXPECT_EQ(plan_json(plan)["trials"][0]["largest_micro_batch"], divisor);
    EXPECT_EQ(plan.rows[0].needs_smaller_micro_batch(), divisor < 48) << images;
  }
}

TEST(PlanMemory, RefusesATrialOfWhichNotEvenOneImageFits) {
  const sweeps::Cell cell = cell_of(8, {1, 1});
  const Plan plan = plan_of(cell, make_devices(1, 1), {room_for_images(cell, 1) - 1, std::nullopt});
  EXPECT_EQ(plan.num_refused(), 1U);
  EXPECT_THAT(plan_text(plan), HasSubstr("cannot run: trial"));
  EXPECT_THAT(plan.rows[0].refusal, HasSubstr("even with train.micro_batch=1, more than a GPU has"));
  EXPECT_EQ(plan.device_seconds, 0);
}

TEST(PlanMemory, SharesANodesMemoryAmongTheTrialsThatFillIt) {
  const sweeps::Cell cell = cell_of(8, {2, 0});
  const Plan plan = plan_of(cell, make_devices(7), {std::nullopt, 3 * room_for_images(cell, 4)});
  EXPECT_EQ(plan.rows[0].largest_micro_batch, 4) << "three trials of two cores run side by side";
  EXPECT_THAT(plan_text(plan), HasSubstr("1 trial needs more memory than there is"));
}

TEST(PlanMemory, SaysNothingOfMemoryItDoesNotKnow) {
  const Plan plan = plan_of(cell_of(8, {1, 1}), make_devices(1, 1), {std::nullopt, 1.0});
  EXPECT_FALSE(plan.rows[0].largest_micro_batch);
  EXPECT_EQ(plan.num_refused(), 0U);
  EXPECT_TRUE(plan_json(plan)["trials"][0]["largest_micro_batch"].is_null());
  EXPECT_THAT(plan_text(plan), Not(HasSubstr("more memory")));
}

TEST(PlanMemory, CountsDeviceHours) {
  const Plan plan = plan_of(cell_of(8, {2, 0}), make_devices(2), {});
  EXPECT_DOUBLE_EQ(plan_json(plan)["device_hours"].get<double>(), 2 * plan.rows[0].predicted_s / 3600);
  EXPECT_THAT(plan_text(plan), HasSubstr("device hours"));
}

}  // namespace
}  // namespace ditscale::orchestrator
