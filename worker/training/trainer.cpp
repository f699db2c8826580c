#include "worker/training/trainer.hpp"

#include <chrono>
#include <optional>
#include <thread>

#include <ATen/Parallel.h>
#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "worker/training/stop_request.hpp"
#include "worker/training/training_run.hpp"

namespace ditscale::worker {

namespace {

/// A trainer whose agent was killed saves a last checkpoint: the next attempt waits for it.
constexpr auto kLockPatience = std::chrono::seconds(150);
constexpr auto kLockPoll = std::chrono::milliseconds(100);

common::FileLock lock_folder(const common::TrialPaths& paths) {
  const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
  for (;;) {
    if (auto lock = common::FileLock::try_acquire(paths.lock())) return std::move(*lock);
    if (std::chrono::steady_clock::now() > deadline || stop_requested()) {
      throw common::SystemError(fmt::format("{}: another trainer is at work in this folder", paths.folder.string()));
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

/// The training itself; whatever stops it becomes the outcome.
Outcome train(const sweeps::TrialSpec& trial, const AttemptOptions& options, Communicator& communicator,
              torch::Device device, EventLog* events, std::optional<TrainingRun>& run) {
  try {
    run.emplace(trial, options, communicator, device, events);
    return run->run();
  } catch (const std::bad_alloc&) {
    return {OutcomeState::kFailed, "out of memory: set train.micro_batch, or take a smaller model"};
  } catch (const std::exception& error) {
    return {OutcomeState::kFailed, first_line(error.what())};
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
  }
  throw common::InternalError("an outcome without a name");
}

Outcome run_attempt(const sweeps::TrialSpec& trial, const AttemptOptions& options) {
  listen_for_stop();
  at::set_num_threads(options.threads);
  std::unique_ptr<Communicator> communicator;
  std::optional<common::FileLock> lock;
  std::optional<EventLog> log;
  try {
    const torch::Device device = choose_device(options.device, options.launch.local_rank);
    communicator = make_communicator(options.launch, device);
    if (communicator->is_first()) {
      make_folders(options);
      lock = lock_folder(options.paths);
      log.emplace(options.paths.events(options.attempt), options.event_fd);
    }
    EventLog* events = log ? &*log : nullptr;
    std::optional<TrainingRun> run;
    const Outcome outcome = train(trial, options, *communicator, device, events, run);
    report(events, outcome, run);
    if (outcome.state == OutcomeState::kFailed) communicator->abort_gang();
    return outcome;
  } catch (const std::exception& error) {
    return {OutcomeState::kFailed, first_line(error.what())};
  }
}

}  // namespace ditscale::worker
