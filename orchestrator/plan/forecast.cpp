#include "orchestrator/plan/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "orchestrator/simulation/simulated_cluster.hpp"
#include "orchestrator/view/text.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

namespace {

/// Of a run with failures; one takes a few us, more where many trials wait.
constexpr std::size_t kMostEvents = 300'000;
constexpr std::size_t kMostEventsOfTrial = 30;

/// Scores in the midst of the training are spread over its steps.
Script script_of(const PlannedTrial& planned, const sweeps::Speed& speed) {
  const sweeps::TrialSpec& trial = planned.cell.trial;
  const sweeps::TrialTime time = sweeps::time_of(trial, speed, sweeps::devices_of(trial.resources));
  Script script;
  for (std::size_t i = 0; i < trial.evaluate.size(); ++i) {
    const sweeps::EvaluateSpec& entry = trial.evaluate[i];
    if (entry.apart) {
      script.apart_scores_s += time.score_s[i] * static_cast<double>(sweeps::num_evaluations(entry, trial.train.steps));
    } else {
      script.last_scores_s += time.score_s[i];
    }
  }
  script.start_up_s = sweeps::kStartUp_s;
  const double rest_s = planned.predicted_s - script.start_up_s - script.last_scores_s - script.apart_scores_s;
  script.seconds_per_step = rest_s / static_cast<double>(trial.train.steps);
  return script;
}

SimulatedCluster cluster_of(const std::vector<PlannedTrial>& trials, const std::vector<AgentReport>& agents,
                            const std::map<Ask, sweeps::Speed>& speeds, const SimulationOptions& options) {
  std::vector<sweeps::Cell> cells;
  for (const PlannedTrial& trial : trials) cells.push_back(trial.cell);
  SimulatedCluster cluster(std::move(cells), agents, options);
  cluster.speeds = speeds;
  for (const PlannedTrial& trial : trials) {
    const sweeps::ResourceSpec& resources = trial.cell.trial.resources;
    const auto speed = speeds.find(ask_of(resources));
    cluster.scripts[trial.cell.id] = script_of(trial, speed == speeds.end() ? sweeps::Speed() : speed->second);
  }
  return cluster;
}

std::string end_text(double seconds) { return std::isfinite(seconds) ? duration_text(seconds) : "no end"; }

std::int64_t num_endless(const std::vector<double>& runs_s) {
  return std::count_if(runs_s.begin(), runs_s.end(), [](double seconds) { return !std::isfinite(seconds); });
}

void simulate_failures(Forecast& forecast, const FailureQuestion& failures,
                       const std::function<SimulatedCluster(std::uint64_t seed)>& make_cluster) {
  for (int run = 0; run < failures.num_runs && !forecast.failures_cut_short; ++run) {
    SimulatedCluster cluster = make_cluster(static_cast<std::uint64_t>(run));
    cluster.run();
    forecast.failures_cut_short = cluster.is_cut_short();
    const bool finishes = cluster.exit_code() == common::ExitCode::kDone;
    forecast.with_failures_s.push_back(finishes ? cluster.elapsed_s() : std::numeric_limits<double>::infinity());
  }
  if (forecast.failures_cut_short) forecast.with_failures_s.clear();
  std::sort(forecast.with_failures_s.begin(), forecast.with_failures_s.end());
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
  options.max_events = kMostEvents + kMostEventsOfTrial * trials.size();
  simulate_failures(forecast, failures, [&](std::uint64_t seed) {
    options.seed = seed;
    return cluster_of(trials, agents, speeds, options);
  });
  return forecast;
}

std::string failures_text(const Forecast& forecast) {
  if (forecast.failures_cut_short)
    return fmt::format("with failures: not known, as more than {} events lie before the end of the study\n",
                       kMostEvents);
  const std::vector<double>& runs_s = forecast.with_failures_s;
  if (runs_s.empty()) return "";
  std::string text = fmt::format("with failures: {} in the middle of {} simulated runs, {} in nine of ten\n",
                                 end_text(quantile(runs_s, 0.5)), runs_s.size(), end_text(quantile(runs_s, 0.9)));
  if (num_endless(runs_s) > 0)
    text += fmt::format(
        "with failures it does not finish in {} of {} runs: a trial is lost again and again before its next "
        "checkpoint; save more often (checkpoint.every_steps)\n",
        num_endless(runs_s), runs_s.size());
  return text;
}

common::Json failures_json(const Forecast& forecast) {
  if (forecast.failures_cut_short) return nullptr;
  common::Json runs_s = common::Json::array();
  for (const double seconds : forecast.with_failures_s)
    runs_s.push_back(std::isfinite(seconds) ? common::Json(seconds) : common::Json());
  return runs_s;
}

double quantile(const std::vector<double>& values, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

}  // namespace ditscale::orchestrator
