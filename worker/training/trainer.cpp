#include "worker/training/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/training/stop_request.hpp"
#include "worker/training/training_run.hpp"

namespace ditscale::worker {

namespace {

/// A trainer whose agent was killed saves a last checkpoint: the next attempt waits for it.
constexpr auto kLockPatience = std::chrono::seconds(150);
constexpr auto kLockPoll = std::chrono::milliseconds(100);

/// Empty when asked to stop while waiting.
std::optional<common::FileLock> lock_folder(const common::TrialPaths& paths) {
  const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
  for (;;) {
    if (auto lock = common::FileLock::try_acquire(paths.lock())) return lock;
    if (stop_requested()) return std::nullopt;
    if (std::chrono::steady_clock::now() > deadline) {
      throw common::SystemError(
          fmt::format("{}: another trainer is at work in this folder: wait for it, or stop it", paths.folder.string()));
    }
    std::this_thread::sleep_for(kLockPoll);
  }
}

void make_folders(const AttemptOptions& options) {
  for (const auto& folder : {options.paths.attempt(options.attempt), options.paths.checkpoints(),
                             options.paths.samples(), options.paths.evaluations()}) {
    common::make_folder(folder);
  }
}

/// What an exception says in one line, LibTorch's stack traces left out.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// LibTorch's processor allocator has no exception of its own for this, only a message.
bool is_out_of_memory(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         std::string_view(error.what()).find("can't allocate memory") != std::string_view::npos;
}

/// Of an exception that no more is known of.
Outcome broken_off(const std::exception& error) {
  const bool by_disk = common::is_disk_refusal(error.what());
  return {by_disk ? OutcomeState::kLost : OutcomeState::kFailed, first_line(error.what())};
}

/// Nothing was agreed on with the other ranks of a gang.
bool is_broken_off(const Outcome& outcome) {
  return outcome.state == OutcomeState::kFailed || outcome.state == OutcomeState::kLost;
}

/// The training itself; whatever stops it becomes the outcome.
Outcome train(const sweeps::TrialSpec& trial, const AttemptOptions& options, Communicator& communicator,
              torch::Device device, EventLog* events, std::optional<TrainingRun>& run) {
  try {
    run.emplace(trial, options, communicator, device, events);
    return run->run();
  } catch (const std::exception& error) {
    if (is_out_of_memory(error) && run && run->is_scoring())
      return {OutcomeState::kFailed,
              fmt::format("out of memory while scoring (samples are drawn {} at a time): score it where there is more "
                          "memory, or take a smaller model",
                          kSampleBatch)};
    if (is_out_of_memory(error))
      return {OutcomeState::kFailed, "out of memory: set train.micro_batch, or take a smaller model"};
    return broken_off(error);
  }
}

void report(EventLog* events, const Outcome& outcome, const std::optional<TrainingRun>& run) {
  if (events == nullptr) return;
  try {
    events->append("outcome", {{"state", to_name(outcome.state)},
                               {"reason", outcome.reason},
                               {"step", run ? common::Json(run->step()) : common::Json(nullptr)},
                               {"images", run ? common::Json(run->images_seen()) : common::Json(nullptr)}});
  } catch (const std::exception& error) {
    spdlog::error("the outcome could not be recorded: {}", error.what());
  }
}

/// A trial that asks for GPUs never falls back to the processor.
torch::Device device_for(const sweeps::TrialSpec& trial, const AttemptOptions& options) {
  const bool needs_gpu = options.device == "auto" && trial.resources.gpus > 0;
  return choose_device(needs_gpu ? "cuda" : options.device, options.launch.local_rank);
}

/// Rank 0's part: the folder, its lock, the log. The lock is empty when asked to stop while waiting for it.
struct Desk {
  common::FileDescriptor pipe;
  std::optional<common::FileLock> lock;
  std::unique_ptr<EventLog> log;
};

Desk open_desk(const sweeps::TrialSpec& trial, const AttemptOptions& options) {
  spdlog::info("trial {} in {}, attempt {}", trial.id().str(), options.paths.folder.string(),
               common::to_int(options.attempt));
  Desk desk;
  if (!options.event_pipe.empty()) desk.pipe = open_event_pipe(options.event_pipe);
  make_folders(options);
  desk.lock = lock_folder(options.paths);
  const int pipe = desk.pipe.valid() ? desk.pipe.get() : options.event_fd;
  if (desk.lock) desk.log = std::make_unique<EventLog>(options.paths.events(options.attempt), pipe);
  return desk;
}

Outcome run_rank(const sweeps::TrialSpec& trial, const AttemptOptions& options, torch::Device device,
                 Communicator& communicator) {
  Desk desk;
  if (communicator.is_first()) desk = open_desk(trial, options);
  const bool go = communicator.value_of_first(desk.lock ? 1 : 0) == 1;
  if (!go) return {OutcomeState::kPreempted, "asked to stop while waiting for the trainer before"};
  EventLog* events = desk.log.get();
  std::optional<TrainingRun> run;
  const Outcome outcome = train(trial, options, communicator, device, events, run);
  report(events, outcome, run);
  // A rank that ends is the end of the others: not before the first has written what it has to.
  if (!is_broken_off(outcome)) (void)communicator.value_of_first(0);
  return outcome;
}

/// One voice for the gang: the first rank's.
void speak_only_of_trouble() { spdlog::set_level(std::max(spdlog::get_level(), spdlog::level::warn)); }

}  // namespace

std::string to_name(OutcomeState state) {
  switch (state) {
    case OutcomeState::kSucceeded:
      return "succeeded";
    case OutcomeState::kPreempted:
      return "preempted";
    case OutcomeState::kFailed:
      return "failed";
    case OutcomeState::kDiverged:
      return "diverged";
    case OutcomeState::kLost:
      return "lost";
  }
  throw common::InternalError("an outcome without a name");
}

Outcome run_attempt(const sweeps::TrialSpec& trial, const AttemptOptions& options) {
  listen_for_stop();
  at::set_num_threads(options.threads);
  Outcome outcome;
  std::unique_ptr<Communicator> communicator;
  try {
    const torch::Device device = device_for(trial, options);
    communicator = make_communicator(options.launch, device);
    if (!communicator->is_first()) speak_only_of_trouble();
    outcome = run_rank(trial, options, device, *communicator);
  } catch (const std::exception& error) {
    outcome = broken_off(error);
  }
  if (is_broken_off(outcome) && communicator) {
    spdlog::error("rank {}: {}", communicator->rank(), outcome.reason);
    communicator->abort_gang();
  }
  return outcome;
}

}  // namespace ditscale::worker
