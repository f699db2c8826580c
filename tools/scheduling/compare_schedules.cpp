// Makespans of mixed grids over their lower bound: the orchestrator's own decisions (in the simulator), first in first
// out, and static chunks, on the same grids. Usage: compare_schedules [grids a line, 100] [first seed]
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "tools/scheduling/baselines.hpp"
#include "tools/scheduling/grids.hpp"

#include "orchestrator/simulation/simulated_cluster.hpp"

namespace {

using namespace ditscale;
using namespace ditscale::orchestrator;

constexpr std::int64_t kGpusPerNode = 8;
/// The scheduler's numbers were chosen on seeds below this one.
constexpr int kFirstSeed = 5'000'000;

double own_s(const std::vector<AgentReport>& agents, const std::vector<tools::MadeTrial>& trials) {
  std::vector<sweeps::Cell> cells;
  for (const tools::MadeTrial& trial : trials) cells.push_back(trial.cell);
  SimulationOptions options;
  options.tells_every_checkpoint = false;
  SimulatedCluster cluster(std::move(cells), agents, options);
  for (const tools::MadeTrial& trial : trials) cluster.scripts[trial.cell.id] = trial.script;
  cluster.run();
  if (cluster.exit_code() != common::ExitCode::kDone || !cluster.violations().empty()) std::abort();
  return cluster.elapsed_s();
}

std::string statistics(std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  double sum = 0;
  for (const double ratio : ratios) sum += ratio;
  const auto count = static_cast<double>(ratios.size());
  return fmt::format("{:6.3f} {:6.3f} {:6.3f}", sum / count, ratios[static_cast<std::size_t>(0.95 * (count - 1))],
                     ratios.back());
}

struct Seeds {
  int first = 0;
  int count = 0;
};

void compare(int num_nodes, std::size_t num_trials, double error_sigma, Seeds seeds) {
  const auto agents = tools::make_cluster(num_nodes, kGpusPerNode);
  const std::vector<Ask> nodes(agents.size(), {kGpusPerNode, kGpusPerNode});
  std::vector<double> own;
  std::vector<double> fifo;
  std::vector<double> chunks;
  for (int seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const auto trials = tools::make_grid(num_trials, kGpusPerNode, error_sigma, random);
    const std::vector<Job> jobs = tools::jobs_of(trials);
    const double bound_s = makespan_bound_s(nodes, jobs);
    own.push_back(own_s(agents, trials) / bound_s);
    fifo.push_back(tools::first_in_first_out_s(agents, jobs) / bound_s);
    chunks.push_back(tools::static_chunks_s(agents, jobs) / bound_s);
  }
  fmt::print("{:5} {:6} {:5.0f} %   {}   {}   {}\n", num_nodes, num_trials, 100 * error_sigma, statistics(own),
             statistics(fifo), statistics(chunks));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const Seeds seeds{argc > 2 ? std::atoi(argv[2]) : kFirstSeed, argc > 1 ? std::max(1, std::atoi(argv[1])) : 100};
  fmt::print("makespan over lower bound, {} grids a line from seed {}: mean, 95th percentile, largest\n", seeds.count,
             seeds.first);
  fmt::print("nodes trials  error   {:20}   {:20}   {:20}\n", "orchestrator", "first in first out", "static chunks");
  for (const double error_sigma : {0.0, 0.2}) {
    for (const auto& [num_nodes, num_trials] : {std::pair<int, std::size_t>{2, 64},
                                                {2, 128},
                                                {4, 64},
                                                {4, 128},
                                                {4, 256},
                                                {8, 128},
                                                {8, 256},
                                                {16, 256},
                                                {16, 512}}) {
      compare(num_nodes, num_trials, error_sigma, seeds);
    }
  }
}
