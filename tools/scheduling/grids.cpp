#include "tools/scheduling/grids.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "sweeps/spec/cost.hpp"

namespace ditscale::tools {

using orchestrator::AgentReport;
using orchestrator::Job;

namespace {

/// Two lengths tell what a step costs and what comes before the first.
double predicted_s(sweeps::TrialSpec& trial, std::int64_t steps) {
  trial.train.steps = steps;
  return sweeps::predicted_s(trial);
}

}  // namespace

MadeTrial make_trial(std::int64_t seed, std::int64_t gpus, double seconds, double error, std::int64_t gpus_per_node) {
  MadeTrial made;
  sweeps::TrialSpec& trial = made.cell.trial;
  trial.seed = seed;
  trial.model.depth = 2;
  trial.model.width = 64;
  trial.model.heads = 2;
  trial.train.global_batch = 256;
  trial.resources.gpus = gpus;
  trial.resources.max_nodes = (gpus + gpus_per_node - 1) / gpus_per_node;
  constexpr std::int64_t kMany = 1'000'000;
  const double step_s = (predicted_s(trial, 2 * kMany) - predicted_s(trial, kMany)) / static_cast<double>(kMany);
  const double start_up_s = predicted_s(trial, kMany) - step_s * static_cast<double>(kMany);
  trial.train.steps = std::max<std::int64_t>(8, std::llround((seconds - start_up_s) / step_s));
  trial.checkpoint.every_steps = trial.train.steps / 8;
  made.cell.id = trial.id();
  made.script.seconds_per_step = step_s * error;
  made.script.start_up_s = start_up_s * error;
  return made;
}

std::vector<MadeTrial> make_grid(std::size_t num_trials, std::int64_t gpus_per_node, double error_sigma,
                                 std::mt19937_64& random) {
  constexpr double kMedian_s = 3600;
  constexpr double kLongest_s = 5 * 3600;
  const std::vector<std::int64_t> widths{1, 2, 4, gpus_per_node, 2 * gpus_per_node};
  std::discrete_distribution<std::size_t> width({40, 20, 15, 15, 10});
  std::lognormal_distribution<> seconds(std::log(kMedian_s), 0.75);
  std::lognormal_distribution<> error(0, error_sigma);
  std::vector<MadeTrial> trials;
  while (trials.size() < num_trials) {
    const auto seed = static_cast<std::int64_t>(trials.size());
    const std::int64_t gpus = widths[width(random)];
    trials.push_back(make_trial(seed, gpus, std::min(seconds(random), kLongest_s), error(random), gpus_per_node));
  }
  return trials;
}

std::vector<AgentReport> make_cluster(int num_nodes, std::int64_t gpus_per_node) {
  orchestrator::Devices devices;
  for (int i = 0; i < gpus_per_node; ++i) {
    devices.cpus.push_back(i);
    devices.gpus.push_back(std::to_string(i));
  }
  std::vector<AgentReport> agents;
  for (int rank = 1; rank <= num_nodes; ++rank) agents.push_back({rank, "n" + std::to_string(rank), devices});
  return agents;
}

std::vector<Job> jobs_of(const std::vector<MadeTrial>& trials) {
  std::vector<Job> jobs;
  for (const MadeTrial& trial : trials) {
    const auto steps = static_cast<double>(trial.cell.trial.train.steps);
    jobs.push_back({orchestrator::ask_of(trial.cell.trial.resources),
                    trial.script.start_up_s + steps * trial.script.seconds_per_step});
  }
  return jobs;
}

}  // namespace ditscale::tools
