#include "orchestrator/plan/forecast.hpp"

#include <algorithm>
#include <cmath>

#include "orchestrator/simulation/simulated_cluster.hpp"

namespace ditscale::orchestrator {

namespace {

SimulatedCluster cluster_of(const std::vector<PlannedTrial>& trials, const std::vector<AgentReport>& agents,
                            const std::map<Ask, sweeps::Speed>& speeds, const SimulationOptions& options) {
  std::vector<sweeps::Cell> cells;
  for (const PlannedTrial& trial : trials) cells.push_back(trial.cell);
  SimulatedCluster cluster(std::move(cells), agents, options);
  cluster.speeds = speeds;
  for (const PlannedTrial& trial : trials) {
    cluster.scripts[trial.cell.id].seconds_per_step =
        trial.predicted_s / static_cast<double>(trial.cell.trial.train.steps);
  }
  return cluster;
}

}  // namespace

Forecast forecast(const std::vector<PlannedTrial>& trials, const std::vector<AgentReport>& agents,
                  const std::map<Ask, sweeps::Speed>& speeds, const FailureQuestion& failures) {
  SimulationOptions options;
  options.tells_every_checkpoint = false;
  SimulatedCluster cluster = cluster_of(trials, agents, speeds, options);
  cluster.run();
  Forecast forecast;
  forecast.makespan_s = cluster.elapsed_s();
  for (const Span& span : cluster.spans()) {
    forecast.spans.push_back({trials[span.position].cell.id, span.shares, span.start_s, span.end_s});
  }
  std::stable_sort(forecast.spans.begin(), forecast.spans.end(),
                   [](const PlannedSpan& a, const PlannedSpan& b) { return a.start_s < b.start_s; });
  options.misfortunes.node_mtbf_s = failures.node_mtbf_s;
  for (int run = 0; run < failures.num_runs; ++run) {
    options.seed = static_cast<std::uint64_t>(run);
    SimulatedCluster failing = cluster_of(trials, agents, speeds, options);
    failing.run();
    forecast.with_failures_s.push_back(failing.elapsed_s());
  }
  std::sort(forecast.with_failures_s.begin(), forecast.with_failures_s.end());
  return forecast;
}

double quantile(const std::vector<double>& values, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

}  // namespace ditscale::orchestrator
