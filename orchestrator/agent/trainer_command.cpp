#include "orchestrator/agent/trainer_command.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/ranges.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/trial_paths.hpp"
#include "orchestrator/mpi/gang_arguments.hpp"

namespace ditscale::orchestrator {

namespace {

/// Where a single trainer finds the pipe to its agent.
constexpr int kEventFd = 3;
constexpr const char* kGpuOrder = "CUDA_DEVICE_ORDER";
constexpr const char* kVisibleGpus = "CUDA_VISIBLE_DEVICES";

using Arguments = std::vector<std::string>;

Arguments train_command(const StartMessage& order, const TrainerSettings& settings, const Arguments& more) {
  const common::TrialPaths paths{order.folder};
  Arguments arguments{settings.worker.string(),
                      "train",
                      paths.trial_json().string(),
                      "--folder",
                      paths.folder.string(),
                      "--attempt",
                      std::to_string(common::to_int(order.attempt))};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

common::SpawnOptions common_options(const StartMessage& order, const TrainerSettings& settings) {
  common::SpawnOptions options;
  if (settings.gpus_by_bus) options.environment[kGpuOrder] = "PCI_BUS_ID";
  options.log = common::TrialPaths{order.folder}.log(order.attempt);
  return options;
}

/// Names of this process's environment variables that begin like this.
Arguments variables_of(const std::string& prefix) {
  Arguments names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with(prefix)) names.push_back(text.substr(0, text.find('=')));
  }
  return names;
}

std::string joined(const std::vector<int>& cpus) { return fmt::format("{}", fmt::join(cpus, ",")); }
std::string joined(const std::vector<std::string>& gpus) { return fmt::format("{}", fmt::join(gpus, ",")); }

/// Shares on one host (it may have several agents) become one, so that processes count themselves by host.
Shares by_host(const Shares& shares) {
  Shares merged;
  for (const Share& share : shares) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const Share& each) { return each.host == share.host; });
    if (same == merged.end()) {
      merged.push_back(share);
      continue;
    }
    same->processes += share.processes;
    const Devices& more = share.devices;
    same->devices.cpus.insert(same->devices.cpus.end(), more.cpus.begin(), more.cpus.end());
    same->devices.gpus.insert(same->devices.gpus.end(), more.gpus.begin(), more.gpus.end());
  }
  return merged;
}

GangPart part_of(const Share& share, const StartMessage& order, const TrainerSettings& settings,
                 const std::filesystem::path& events) {
  Arguments more{"--event-pipe", events.string(), "--cpu-list", joined(share.devices.cpus)};
  if (!share.devices.gpus.empty()) more.insert(more.end(), {"--gpu-list", joined(share.devices.gpus)});
  return {share.host, share.processes, train_command(order, settings, more)};
}

}  // namespace

common::SpawnOptions single_trainer(const StartMessage& order, const TrainerSettings& settings) {
  const Devices& devices = order.shares.front().devices;
  const std::string threads = std::to_string(devices.cpus.size());
  common::SpawnOptions options = common_options(order, settings);
  options.argv = train_command(order, settings, {"--event-fd", std::to_string(kEventFd), "--threads", threads});
  options.environment[kVisibleGpus] = joined(devices.gpus);
  options.environment["OMP_NUM_THREADS"] = threads;
  options.removed_prefixes = outer_job_prefixes(/*one_host=*/false);
  options.cpus = devices.cpus;
  options.parent_death_signal = SIGTERM;
  options.event_fd = kEventFd;
  return options;
}

common::SpawnOptions gang_of_trainers(const StartMessage& order, const TrainerSettings& settings,
                                      const std::filesystem::path& events) {
  if (settings.mpirun.empty())
    throw common::SystemError("a trial of several processes is started with mpirun, which is not on PATH");
  const Shares shares = by_host(order.shares);
  std::vector<GangPart> parts;
  for (const Share& share : shares) parts.push_back(part_of(share, order, settings, events));
  common::SpawnOptions options = common_options(order, settings);
  options.argv = {settings.mpirun.string()};
  Arguments exported;
  if (settings.gpus_by_bus) exported.emplace_back(kGpuOrder);
  if (shares.front().devices.gpus.empty()) {
    // GPUs that were not asked for are hidden; else --gpu-list says which are visible.
    options.environment[kVisibleGpus] = "";
    exported.emplace_back(kVisibleGpus);
  }
  if (shares.size() > 1) {
    // Ranks of other nodes must choose the same network and algorithms.
    const Arguments nccl = variables_of("NCCL_");
    exported.insert(exported.end(), nccl.begin(), nccl.end());
  }
  const Arguments arguments = gang_arguments(parts, exported);
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment.insert(settings.mpirun_environment.begin(), settings.mpirun_environment.end());
  options.removed_prefixes = outer_job_prefixes(shares.size() == 1);
  // What mpirun forwards to every process as a wish to save and end; SIGTERM it takes as an order to kill them.
  options.parent_death_signal = SIGUSR2;
  return options;
}

}  // namespace ditscale::orchestrator
