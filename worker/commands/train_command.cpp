#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <sched.h>
#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/trainer_exit.hpp"
#include "sweeps/spec/json_path.hpp"
#include "worker/commands/commands.hpp"
#include "worker/distributed/node_share.hpp"
#include "worker/training/trainer.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

struct TrainOptions {
  std::string trial_file;
  std::string folder;
  int attempt = 0;
  int event_fd = -1;
  std::string event_pipe;
  std::vector<int> cpu_list;
  std::vector<std::string> gpu_list;
  int threads = 0;
  std::string device = "auto";
  std::vector<std::string> assignments;
};

sweeps::TrialSpec read_trial(const TrainOptions& options) {
  common::JsonDocument document = common::read_json(options.trial_file);
  for (const std::string& text : options.assignments) {
    auto [path, value] = sweeps::parse_assignment(text);
    sweeps::set_path(document.value, path, std::move(value), "--set " + text);
  }
  return sweeps::trial_spec_from(document);
}

/// What trial.json holds; empty when there is none, or one that a power failure left without its content. That costs
/// nothing: checkpoints name their trial too.
std::optional<common::JsonDocument> resolved_trial(const common::TrialPaths& paths) {
  if (!fs::exists(paths.trial_json())) return std::nullopt;
  try {
    return common::read_json(paths.trial_json());
  } catch (const common::ConfigError& error) {
    spdlog::warn("{}; written again", error.what());
    return std::nullopt;
  }
}

/// Leaves trial.json in a new folder; refuses one that another trial has used.
void claim_folder(const common::TrialPaths& paths, const sweeps::TrialSpec& trial) {
  const auto resolved = resolved_trial(paths);
  if (!resolved) {
    common::write_file_atomically(paths.trial_json(), trial.to_json().dump(2) + "\n");
    return;
  }
  const common::TrialId owner = sweeps::trial_spec_from(*resolved).id();
  if (owner != trial.id()) {
    throw common::ConfigError(fmt::format("{} belongs to trial {}, this is {}: name another --folder",
                                          paths.folder.string(), owner.str(), trial.id().str()));
  }
}

int next_attempt(const common::TrialPaths& paths) {
  int attempt = 1;
  while (fs::exists(paths.attempt(common::AttemptNumber{attempt}))) ++attempt;
  return attempt;
}

int exit_code_of(const Outcome& outcome) {
  switch (outcome.state) {
    case OutcomeState::kSucceeded:
      return common::to_int(common::ExitCode::kDone);
    case OutcomeState::kPreempted:
      return common::to_int(common::ExitCode::kIncomplete);
    case OutcomeState::kDiverged:
      return common::kDivergedExit;
    case OutcomeState::kLost:
      return common::kDiskRefusedExit;
    case OutcomeState::kFailed:
      return common::to_int(common::ExitCode::kError);
  }
  throw common::InternalError("an outcome without an exit code");
}

std::string device_of(const TrainOptions& options) {
  if (options.gpu_list.empty()) return options.device;
  if (options.device == "cpu") throw common::UsageError("--gpu-list and --device cpu: which of the two?");
  return "cuda";
}

/// Threads of this process, which is from now on where the options want it.
int take_place(const TrainOptions& options, const sweeps::TrialSpec& trial, const Launch& launch) {
  if (!options.gpu_list.empty()) show_gpus(options.gpu_list, launch);
  auto threads = static_cast<int>(trial.resources.cpus);
  if (!options.cpu_list.empty()) {
    const std::vector<int> cpus = slice_of(options.cpu_list, launch);
    pin_to(cpus);
    threads = static_cast<int>(cpus.size());
  }
  return options.threads > 0 ? options.threads : threads;
}

int run(const TrainOptions& options, const Environment& environment) {
  const sweeps::TrialSpec trial = read_trial(options);
  AttemptOptions attempt;
  attempt.paths.folder =
      options.folder.empty() ? fs::path("runs") / "by_hand" / trial.id().str() : fs::path(options.folder);
  attempt.attempt = common::AttemptNumber{options.attempt > 0 ? options.attempt : next_attempt(attempt.paths)};
  attempt.device = device_of(options);
  attempt.threads = take_place(options, trial, environment.launch);
  attempt.event_fd = options.event_fd;
  attempt.event_pipe = options.event_pipe;
  attempt.launch = environment.launch;
  attempt.cache_folder = environment.cache_folder;
  common::make_folder(attempt.paths.folder);
  claim_folder(attempt.paths, trial);
  const Outcome outcome = run_attempt(trial, attempt);
  const bool good = outcome.state == OutcomeState::kSucceeded || outcome.state == OutcomeState::kPreempted;
  spdlog::log(good ? spdlog::level::info : spdlog::level::err, "{}{}{}", to_name(outcome.state),
              outcome.reason.empty() ? "" : ": ", outcome.reason);
  return exit_code_of(outcome);
}

/// A disk that is full before the attempt has begun ends it in the same way.
int run_or_tell_of_disk(const TrainOptions& options, const Environment& environment) {
  try {
    return run(options, environment);
  } catch (const std::exception& error) {
    if (!common::is_disk_refusal(error.what())) throw;
    spdlog::error("{}", error.what());
    return common::kDiskRefusedExit;
  }
}

}  // namespace

void add_train_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command =
      app.add_subcommand("train", "Train one trial; the same command again goes on from its newest checkpoint");
  command
      ->add_option("trial", options->trial_file,
                   "Trial file (JSON): one cell of a sweep; what it leaves out has the defaults")
      ->required();
  command->add_option("--folder", options->folder, "The trial's folder; default runs/by_hand/<id>");
  command->add_option("--attempt", options->attempt, "Number of this attempt; default: the next free one")
      ->check(CLI::PositiveNumber);
  CLI::Option* event_fd = command->add_option("--event-fd", options->event_fd,
                                              "Descriptor that events are written to as well (used by the agent)");
  command
      ->add_option("--event-pipe", options->event_pipe,
                   "Named pipe that the first rank of a gang writes events to as well (used by the agent)")
      ->excludes(event_fd);
  command
      ->add_option("--threads", options->threads,
                   "Threads of this process; default: its processors of --cpu-list, or the trial's resources.cpus")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--cpu-list", options->cpu_list,
                   "Logical processors of this node, as 0,1,2,3: each of its processes keeps to an equal slice")
      ->delimiter(',')
      ->check(CLI::Range(0, CPU_SETSIZE - 1));
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command
      ->add_option("--gpu-list", options->gpu_list,
                   "GPUs of this node, indices or UUIDs: the k-th of its processes takes the k-th")
      ->delimiter(',');
  command->add_option("--set", options->assignments, "Override a field: path=value");
  command->footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 4 stopped after a checkpoint (run again), 6 diverged,\n"
      "7 the disk is full, over quota or read-only (make room, run again).\n"
      "Example: worker train trial.json --folder runs/by_hand/first --set train.steps=200");
  command->callback([options, &context] {
    context.action = [options, &context] { return run_or_tell_of_disk(*options, context.environment); };
  });
}

}  // namespace ditscale::worker
