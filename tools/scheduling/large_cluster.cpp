// The real decisions on a large simulated cluster that fails at realistic rates: how long one takes, and all of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <variant>

#include <fmt/format.h>

#include "tools/scheduling/grids.hpp"

#include "orchestrator/simulation/simulated_cluster.hpp"

namespace {

using namespace ditscale;
using namespace ditscale::orchestrator;

constexpr std::int64_t kGpusPerNode = 8;
constexpr double kDay_s = 86'400;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Times of decisions, apart for those that free or add devices and so must dispatch.
struct Times {
  std::vector<double> dispatch_s;
  std::vector<double> other_s;
};

void print(const char* name, std::vector<double> times_s) {
  std::sort(times_s.begin(), times_s.end());
  const auto at = [&](double share) {
    return 1e3 * times_s[static_cast<std::size_t>(share * static_cast<double>(times_s.size() - 1))];
  };
  fmt::print("{:10} {:8} decisions: median {:.4f}, 99th percentile {:.4f}, largest {:.3f} ms\n", name, times_s.size(),
             at(0.5), at(0.99), at(1.0));
}

SimulationOptions realistic(bool has_limit) {
  SimulationOptions options;
  options.misfortunes.node_mtbf_s = 21 * kDay_s;
  options.misfortunes.node_repair_s = 4 * 3600;
  options.misfortunes.preemption_s = 7 * kDay_s;
  options.tells_every_checkpoint = false;
  if (has_limit) options.limit_s = kDay_s;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const int num_nodes = argc > 1 ? std::atoi(argv[1]) : 1250;
  const std::size_t num_trials = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000;
  const bool has_limit = argc > 3;
  std::mt19937_64 random(1);
  auto trials = tools::make_grid(num_trials, kGpusPerNode, 0.2, random);
  std::vector<sweeps::Cell> cells;
  for (const tools::MadeTrial& trial : trials) cells.push_back(trial.cell);
  SimulatedCluster cluster(std::move(cells), tools::make_cluster(num_nodes, kGpusPerNode), realistic(has_limit));
  for (std::size_t i = 0; i < trials.size(); ++i) {
    cluster.scripts[trials[i].cell.id] = trials[i].script;
    if (i % 100 == 0) cluster.scripts[trials[i].cell.id].num_failures = 1;
  }
  Times times;
  cluster.decide = [&times](State& state, const ClusterEvent& event, double now_s) {
    const auto begin = Clock::now();
    Actions actions = react(state, event, now_s);
    const bool dispatches = !std::holds_alternative<TrainerSpoke>(event);
    (dispatches ? times.dispatch_s : times.other_s).push_back(seconds_since(begin));
    return actions;
  };
  const auto begin = Clock::now();
  cluster.run();
  fmt::print("{} devices, {} trials, {} attempts, {} nodes lost: {:.1f} days simulated in {:.1f} s, exit code {}\n",
             num_nodes * kGpusPerNode, num_trials, cluster.spans().size(), cluster.num_lost_nodes(),
             cluster.elapsed_s() / kDay_s, seconds_since(begin), common::to_int(cluster.exit_code()));
  print("dispatch", std::move(times.dispatch_s));
  print("messages", std::move(times.other_s));
  for (const std::string& violation : cluster.violations()) fmt::print("violation: {}\n", violation);
  return cluster.violations().empty() ? 0 : 1;
}
