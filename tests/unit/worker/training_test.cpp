#include <filesystem>
#include <fstream>

#include <ATen/Context.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"
#include "worker/checkpoint/checkpoint_store.hpp"
#include "worker/checkpoint/ema_snapshot.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/training/event_log.hpp"
#include "worker/training/train_step.hpp"

namespace ditscale::worker {
namespace {

namespace fs = std::filesystem;

sweeps::TrialSpec small_trial() {
  sweeps::TrialSpec trial;
  trial.model = {.depth = 2, .width = 32, .heads = 2, .patch = 7, .mlp_ratio = 2.0, .class_dropout = 0.1};
  trial.train.global_batch = 8;
  trial.train.lr = 1e-3;
  trial.train.ema_decay = 0.9;
  return trial;
}

ImageSet made_up_images() {
  torch::manual_seed(1);
  return {torch::randint(0, 256, {50, 1, 28, 28}, torch::kUInt8), torch::randint(0, 10, {50}, torch::kInt64),
          "made up"};
}

/// A trial, its images and its state, with verbs.
struct Training {
  explicit Training(sweeps::TrialSpec t) : trial(std::move(t)) {}

  StepResult step() { return step_.run(false); }
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }

  sweeps::TrialSpec trial;
  ImageSet images = made_up_images();
  BatchSource source{images, trial};
  SingleProcess alone;
  TrainState state{trial.shape(), 0, torch::kCPU};
  TrainStep step_{trial, source, alone, state, Precision::kFp32};
};

void expect_equal(const TrainState& a, const TrainState& b) {
  EXPECT_TRUE(torch::equal(a.weights, b.weights));
  EXPECT_TRUE(torch::equal(a.moment1, b.moment1));
  EXPECT_TRUE(torch::equal(a.moment2, b.moment2));
  EXPECT_TRUE(torch::equal(a.ema, b.ema));
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.images_seen, b.images_seen);
}

class CheckpointedTraining : public testing::Test {
 protected:
  CheckpointedTraining() { at::set_num_threads(1); }

  void save(CheckpointStore& store, const Training& training) {
    store.save(take_snapshot(training.state, training.trial.to_json(), "fp32", "made up"), [](const auto&, double) {});
    store.wait();
  }
  std::optional<StoredCheckpoint> newest(const CheckpointStore& store) {
    refused_.clear();
    return store.newest_valid(
        [this](const std::string& file, const std::string& reason) { refused_.push_back(file + ": " + reason); });
  }

  test::TemporaryFolder folder_;
  common::TrialPaths paths_{folder_.path()};
  std::vector<std::string> refused_;
};

TEST(Training, TheLossStartsWhereTheZeroModelPutsIt) {
  Training training(small_trial());
  // Noise error 1 and variance term 0.01415 on average; 8 images leave some scatter.
  EXPECT_NEAR(training.step().loss, 1.015, 0.1);
}

TEST(Training, FallsOnAFixedSetOfImages) {
  Training training(small_trial());
  training.steps(40);
  double late = 0;
  for (int i = 0; i < 10; ++i) late += training.step().loss_simple / 10;
  EXPECT_LT(late, 0.8);
}

TEST(Training, MicroBatchesAddUpToTheWholeBatch) {
  Training whole(small_trial());
  sweeps::TrialSpec split_trial = small_trial();
  split_trial.train.micro_batch = 2;
  Training split(split_trial);
  whole.step();
  split.step();
  EXPECT_LT(((whole.state.gradients - split.state.gradients).norm() / whole.state.gradients.norm()).item<double>(),
            1e-5);
}

TEST(Training, AGradientAboveTheClipNormIsScaledToIt) {
  sweeps::TrialSpec clipped_trial = small_trial();
  clipped_trial.train.clip_norm = 1e-3;
  Training clipped(clipped_trial), free(small_trial());
  const StepResult result = clipped.step();
  free.step();
  EXPECT_GT(result.grad_norm, 1e-3);
  const auto expected = free.state.moment1 * (1e-3 / result.grad_norm);
  EXPECT_TRUE(torch::allclose(clipped.state.moment1, expected, 1e-4, 1e-12));
}

TEST(Training, ALossThatIsNotFiniteLeavesTheStateAsItWas) {
  Training training(small_trial());
  training.step();
  training.state.weights.fill_(std::numeric_limits<float>::quiet_NaN());
  const auto moments = training.state.moment1.clone();
  EXPECT_FALSE(training.step().finite());
  EXPECT_EQ(training.state.step, 1);
  EXPECT_TRUE(torch::equal(training.state.moment1, moments));
}

TEST(Training, TheLearningRateWarmsUpLinearly) {
  sweeps::TrainSpec train;
  train.lr = 1.0;
  train.warmup_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate(train, 1), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(train, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(train, 400), 1.0);
}

TEST_F(CheckpointedTraining, ResumedEqualsUninterruptedBitForBit) {
  Training uninterrupted(small_trial());
  uninterrupted.steps(7);

  Training first(small_trial());
  first.steps(3);
  CheckpointStore store(paths_, 2);
  save(store, first);
  Training second(small_trial());
  load_checkpoint_file(newest(store)->file, second.state);
  second.steps(4);
  expect_equal(second.state, uninterrupted.state);
}

TEST_F(CheckpointedTraining, ThePostHocAveragesResumeBitForBitToo) {
  Training whole(small_trial()), first(small_trial()), second(small_trial());
  for (Training* training : {&whole, &first, &second}) training->state.keep_power_ema();
  whole.steps(5);
  first.steps(3);
  CheckpointStore store(paths_, 2);
  save(store, first);
  load_checkpoint_file(newest(store)->file, second.state);
  second.steps(2);
  for (std::size_t i = 0; i < kStoredSigmaRel.size(); ++i) {
    EXPECT_TRUE(torch::equal(whole.state.power_ema[i], second.state.power_ema[i]));
    EXPECT_FALSE(torch::equal(whole.state.power_ema[i], whole.state.weights));
  }
}

TEST_F(CheckpointedTraining, ASnapshotOfTheAveragesReadsBackAndDamageIsSeen) {
  Training training(small_trial());
  training.state.keep_power_ema();
  training.steps(2);
  const auto file = paths_.ema_snapshot(2);
  write_ema_snapshot(file, training.state, training.trial.to_json());
  const auto listed = list_ema_snapshots(paths_.ema());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].step, 2);
  EXPECT_EQ(read_ema_snapshot_header(file).step, 2);
  EXPECT_TRUE(torch::equal(read_power_ema(file, training.state.layout, 1), training.state.power_ema[1]));

  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_ANY_THROW((void)read_power_ema(file, training.state.layout, 1));
  write_ema_snapshot(file, training.state, training.trial.to_json());
  std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(-64, std::ios::end);
  damaged.put('x');
  damaged.close();
  EXPECT_THROW((void)read_power_ema(file, training.state.layout, 1), common::CorruptData);
}

TEST_F(CheckpointedTraining, TheNewestAreKept) {
  CheckpointStore store(paths_, 2);
  Training training(small_trial());
  for (int i = 0; i < 4; ++i) {
    training.step();
    save(store, training);
  }
  const auto kept = store.list();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].step, 4);
  EXPECT_EQ(kept[1].step, 3);
  EXPECT_FALSE(fs::exists(paths_.checkpoint(1)));
}

class DamagedCheckpoint : public CheckpointedTraining {
 protected:
  DamagedCheckpoint() {
    Training training(small_trial());
    for (int i = 0; i < 2; ++i) {
      training.step();
      save(store_, training);
    }
  }
  CheckpointStore store_{paths_, 3};
};

TEST_F(DamagedCheckpoint, CutShortFallsBackToTheOneBefore) {
  fs::resize_file(paths_.checkpoint(2), fs::file_size(paths_.checkpoint(2)) / 2);
  EXPECT_EQ(newest(store_)->step, 1);
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_NE(refused_[0].find("its manifest says"), std::string::npos);
}

TEST_F(DamagedCheckpoint, WithOneByteChangedFallsBackToTheOneBefore) {
  std::fstream file(paths_.checkpoint(2), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(paths_.checkpoint(2)) / 2));
  file.put('!').put('?').put('!');
  file.close();
  EXPECT_EQ(newest(store_)->step, 1);
  EXPECT_NE(refused_.at(0).find("digest"), std::string::npos);
}

TEST_F(DamagedCheckpoint, WithoutAManifestDoesNotCount) {
  fs::remove(paths_.manifest(2));
  EXPECT_EQ(newest(store_)->step, 1);
}

TEST_F(DamagedCheckpoint, AManifestOfNonsenseDoesNotCount) {
  std::ofstream(paths_.manifest(2)) << R"({"version":1,"step":"../../etc/passwd"})";
  EXPECT_EQ(newest(store_)->step, 1);
}

TEST_F(DamagedCheckpoint, OfALaterStepDoesNotPushANewOneOut) {
  std::ofstream(paths_.checkpoint(2)) << "damaged";
  std::ofstream(paths_.checkpoint(1)) << "damaged";
  fs::rename(paths_.manifest(2), paths_.manifest(200));
  std::ofstream(paths_.manifest(200)) << R"({"version":1,"step":200,"file":"step-200.h5","bytes":1,"digest":"0"})";
  CheckpointStore store(paths_, 1);
  Training training(small_trial());
  training.steps(3);
  save(store, training);
  EXPECT_EQ(newest(store)->step, 3);
}

TEST_F(DamagedCheckpoint, WithAnUnreadableManifestDoesNotCount) {
  fs::remove(paths_.manifest(2));
  fs::create_directory(paths_.manifest(2));
  EXPECT_EQ(newest(store_)->step, 1);
}

class HostileHeader : public CheckpointedTraining, public testing::WithParamInterface<const char*> {};

TEST_P(HostileHeader, IsRefusedWithAReason) {
  const fs::path path = folder_.path() / "hostile.h5";
  Hdf5File file = Hdf5File::create(path);
  file.write_text("header", GetParam());
  file.close();
  EXPECT_THROW(static_cast<void>(read_checkpoint_header(path)), common::CorruptData);
}

const std::string kDeepHeader = R"({"version":1,"trial":)" + std::string(400'000, '[');
INSTANTIATE_TEST_SUITE_P(
    Headers, HostileHeader,
    testing::Values(
        "", "[]", "{}", R"({"version":2})", R"({"version":1,"step":3})",
        R"({"version":1,"step":-3,"images_seen":0,"training_s":0,"window":{},"trial":{},"precision":"fp32","data_digest":""})",
        R"({"version":1,"step":2.5,"images_seen":0,"training_s":0,"window":{},"trial":{},"precision":"fp32","data_digest":""})",
        R"({"version":1,"step":1,"images_seen":18446744073709551615,"training_s":0,"window":{},"trial":{},"precision":"fp32","data_digest":""})",
        R"({"version":1,"step":1,"images_seen":0,"training_s":0,"window":7,"trial":{},"precision":"fp32","data_digest":""})",
        R"({"version":1,"step":1,"images_seen":0,"training_s":0,"window":{},"trial":{},"precision":"fp8","data_digest":""})",
        kDeepHeader.c_str()));

TEST_F(DamagedCheckpoint, OfAnotherModelIsRefused) {
  sweeps::TrialSpec other = small_trial();
  other.model.width = 64;
  TrainState state(other.shape(), 0, torch::kCPU);
  EXPECT_THROW(load_checkpoint_file(paths_.checkpoint(2), state), common::CorruptData);
}

TEST_F(DamagedCheckpoint, LeftoversOfKilledWritersAreRemoved) {
  fs::create_directories(paths_.ema());
  fs::create_directories(paths_.evaluations());
  const std::vector<fs::path> leftovers{
      paths_.checkpoints() / ".step-9.h5.tmp-1234", paths_.ema() / ".step-9.h5.tmp-1234",
      paths_.evaluations() / ".step-9.weights.h5.tmp-1234", paths_.checkpoint(9)};  // the last lacks its manifest
  for (const fs::path& leftover : leftovers) std::ofstream(leftover) << "half";
  CheckpointStore reopened(paths_, 3);
  for (const fs::path& each : leftovers)
    EXPECT_TRUE(fs::exists(each)) << "a reader must not touch what a trainer may be writing";
  reopened.prepare();
  for (const fs::path& each : leftovers) EXPECT_FALSE(fs::exists(each)) << each;
  EXPECT_TRUE(fs::exists(paths_.checkpoint(1)));
  EXPECT_EQ(newest(reopened)->step, 2);
}

TEST_F(DamagedCheckpoint, AFailedSaveIsReportedAndLosesNothing) {
  Training training(small_trial());
  training.steps(3);
  fs::create_directories(paths_.checkpoint(3) / "in the way");  // the rename over it fails
  EXPECT_THROW(save(store_, training), common::SystemError);
  EXPECT_EQ(newest(store_)->step, 2);
}

TEST(EventLog, ContinuesItsNumbersAfterALineThatWasCutShort) {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "events.jsonl";
  EventLog(file, -1).append("metric", {{"step", 1}});
  std::ofstream(file, std::ios::app) << R"({"v":1,"n":2,"t":0,"ki)";
  EventLog(file, -1).append("metric", {{"step", 2}});
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(common::Event::from_line(lines[2]).number, 2);
  EXPECT_EQ(common::Event::from_line(lines[2]).body.at("step"), 2);
}

TEST(EventLog, GivesASignOfLifeOnlyAfterSilence) {
  const test::TemporaryFolder folder;
  const auto lives_after_a_metric = [&](const char* name, double quiet_s) {
    EventLog log(folder.path() / name, -1, quiet_s);
    log.append("metric", {{"step", 1}});
    log.say_alive({{"step", 2}});
    return common::read_file(folder.path() / name).find("\"alive\"") != std::string::npos;
  };
  EXPECT_TRUE(lives_after_a_metric("after_silence.jsonl", 0));
  EXPECT_FALSE(lives_after_a_metric("at_once.jsonl", EventLog::kQuiet_s));
}

/// A small disk of its own under `folder`; unmounted at the end.
class SmallDisk {
 public:
  static constexpr std::size_t kBytes = 16'384;

  explicit SmallDisk(const fs::path& folder) : folder_(folder) {
    fs::create_directories(folder_);
    mounted = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, fmt::format("size={}", kBytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted = false;

 private:
  fs::path folder_;
};

TEST_F(CheckpointedTraining, AFullDiskIsToldByTheReasonsOfWhatWasNotWritten) {
  const SmallDisk disk(folder_.path() / "disk");
  if (!disk.mounted) GTEST_SKIP() << "a small disk needs mount rights";
  const common::TrialPaths paths{folder_.path() / "disk"};
  CheckpointStore store(paths, 2);
  Training training(small_trial());
  const auto refuses = [](const auto& write) {
    try {
      write();
      return std::string("it was written");
    } catch (const std::exception& error) {
      return common::is_disk_refusal(error.what()) ? std::string() : std::string(error.what());
    }
  };
  EXPECT_EQ(refuses([&] { save(store, training); }), "");
  EventLog log(paths.folder / "events.jsonl", -1);
  EXPECT_EQ(refuses([&] { log.append("metric", {{"filler", std::string(20'000, 'x')}}); }), "");
  EXPECT_EQ(refuses([&] { common::write_file_atomically(paths.folder / "a", std::string(20'000, 'x')); }), "");
}

/// Who waits for the outcome need not guess from the exit code.
TEST(EventLog, TellsThePipeAnOutcomeThatTheDiskDoesNotTake) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_NONBLOCK), 0);
  const common::FileDescriptor reading(pipe[0]);
  const common::FileDescriptor writing(pipe[1]);
  const test::TemporaryFolder folder;
  const SmallDisk disk(folder.path() / "disk");
  if (!disk.mounted) GTEST_SKIP() << "a small disk needs mount rights";
  EventLog log(folder.path() / "disk" / "events.jsonl", writing.get());
  std::ofstream(folder.path() / "disk" / "filler") << std::string(SmallDisk::kBytes, 'x');
  EXPECT_THROW(log.append("metric", {{"step", 1}}), common::SystemError);
  EXPECT_THROW(log.append("outcome", {{"state", "lost"}}), common::SystemError);
  char text[4096] = "";
  const ssize_t got = ::read(reading.get(), text, sizeof text - 1);
  ASSERT_GT(got, 0);
  EXPECT_EQ(common::Event::from_line(std::string(text, static_cast<std::size_t>(got) - 1)).kind, "outcome");
}

TEST(BatchSource, EpochsShowEachImageOnceAndBatchesDoNotDependOnTheirSize) {
  const sweeps::TrialSpec trial = small_trial();
  const ImageSet images = made_up_images();
  const BatchSource source(images, trial);
  const Batch all = source.batch(0, 50);
  const Batch part = source.batch(20, 10);
  EXPECT_TRUE(torch::equal(all.x0.narrow(0, 20, 10), part.x0));
  EXPECT_TRUE(torch::equal(all.noise.narrow(0, 20, 10), part.noise));
  EXPECT_TRUE(torch::equal(all.t.narrow(0, 20, 10), part.t));
  EXPECT_TRUE(torch::equal(all.labels.narrow(0, 20, 10), part.labels));
  // Sums of pixels survive flips, so one epoch has the sum of the set.
  const auto bytes = ((all.x0 + 1) * 127.5).to(torch::kFloat64).sum().item<double>();
  EXPECT_NEAR(bytes, images.images.to(torch::kFloat64).sum().item<double>(), 1.0);
}

TEST(BatchSource, DropsLabelsAndFlipsAtTheGivenRates) {
  sweeps::TrialSpec trial = small_trial();
  trial.model.class_dropout = 0.25;
  const ImageSet images = made_up_images();
  const Batch batch = BatchSource(images, trial).batch(0, 4000);
  const double dropped = (batch.labels == 10).to(torch::kFloat64).mean().item<double>();
  EXPECT_NEAR(dropped, 0.25, 5 * std::sqrt(0.25 * 0.75 / 4000));
  EXPECT_GE(batch.t.min().item<std::int64_t>(), 0);
  EXPECT_LE(batch.t.max().item<std::int64_t>(), 999);
  EXPECT_NEAR(batch.t.to(torch::kFloat64).mean().item<double>(), 499.5, 5 * 1000 / std::sqrt(12.0 * 4000));
}

// LibTorch lets attention add in any order unless it may throw instead of warn.
TEST(DeterministicScope, AsksForTheSameBitsOnAGpuAndOnlyThere) {
  const at::Context& context = at::globalContext();
  {
    const DeterministicScope scope(torch::kCUDA);
    EXPECT_TRUE(context.deterministicAlgorithms());
    EXPECT_FALSE(context.deterministicAlgorithmsWarnOnly());
  }
  EXPECT_FALSE(context.deterministicAlgorithms());
  const DeterministicScope scope(torch::kCPU);
  EXPECT_FALSE(context.deterministicAlgorithms());
}

}  // namespace
}  // namespace ditscale::worker
