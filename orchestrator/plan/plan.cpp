#include "orchestrator/plan/plan.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/plan/list_schedule.hpp"
#include "orchestrator/view/text.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

using common::Json;

namespace {

constexpr double kBytesPerValue = 4;
/// Weights, EMA and two moments.
constexpr double kBuffersInCheckpoint = 4;

double disk_bytes(const sweeps::TrialSpec& trial, std::int64_t parameters) {
  const double checkpoints = static_cast<double>(trial.checkpoint.keep + 1);
  return checkpoints * kBuffersInCheckpoint * kBytesPerValue * static_cast<double>(parameters);
}

double memory_bytes(const sweeps::TrialSpec& trial) {
  const std::int64_t images =
      std::min(trial.train.micro_batch.value_or(trial.train.global_batch), trial.train.global_batch);
  return static_cast<double>(
      sweeps::training_state_bytes(trial.shape()) +
      sweeps::activation_bytes(trial.shape(), images, static_cast<std::int64_t>(kBytesPerValue)));
}

PlanRow row_of(const sweeps::Cell& cell, const std::optional<double>& rate) {
  const sweeps::TrialSpec& trial = cell.trial;
  PlanRow row;
  row.id = cell.id;
  row.label = cell.label();
  row.ask = ask_of(trial.resources);
  row.total_parameters = sweeps::count_parameters(trial.shape()).total;
  row.forward_macs = sweeps::forward_macs(trial.shape());
  row.training_flops = sweeps::training_flops_per_image(trial.shape()) * static_cast<double>(trial.train.steps) *
                       static_cast<double>(trial.train.global_batch);
  row.memory_bytes = memory_bytes(trial);
  row.disk_bytes = disk_bytes(trial, row.total_parameters);
  row.predicted_s = sweeps::predicted_s(trial, rate.value_or(sweeps::default_macs_per_s(trial.resources)));
  return row;
}

void add_schedule(Plan& plan) {
  std::vector<Ask> nodes;
  for (const AgentReport& agent : plan.agents) {
    nodes.push_back({std::ssize(agent.devices.cpus), std::ssize(agent.devices.gpus)});
  }
  std::vector<Job> jobs;
  for (const PlanRow& row : plan.rows) jobs.push_back({row.ask, row.predicted_s});
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.seconds > b.seconds; });
  plan.makespan_s = makespan_s(nodes, jobs);
  plan.makespan_bound_s = makespan_bound_s(nodes, jobs);
}

std::vector<std::string> table_row(const PlanRow& row) {
  return {row.id.brief(),
          row.label.empty() ? "(the only cell)" : row.label,
          si_text(static_cast<double>(row.total_parameters)),
          fmt::format("{:.4g}", static_cast<double>(row.forward_macs) * 1e-9),
          fmt::format("{:.3g}", row.training_flops),
          bytes_text(row.memory_bytes),
          bytes_text(row.disk_bytes),
          row.ask.text(),
          duration_text(row.predicted_s)};
}

std::string axes_text(const std::map<std::string, Json>& axes) {
  std::string text;
  for (const auto& [path, value] : axes) text += (text.empty() ? "" : " ") + path + "=" + value.dump();
  return text;
}

}  // namespace

Plan make_plan(const sweeps::Sweep& sweep, const std::vector<AgentReport>& agents, const RateOf& rate_of) {
  if (const auto problem = why_too_large(sweep.cells, agents)) throw common::ConfigError(*problem);
  Plan plan;
  plan.name = sweep.name;
  plan.excluded = sweep.excluded;
  plan.agents = agents;
  for (const sweeps::Cell& cell : sweep.cells) {
    const auto rate = rate_of(ask_of(cell.trial.resources));
    plan.rates_measured = plan.rates_measured || rate.has_value();
    const PlanRow row = row_of(cell, rate);
    plan.device_seconds += row.predicted_s * static_cast<double>(cell.trial.resources.num_devices());
    plan.disk_bytes += row.disk_bytes;
    plan.rows.push_back(row);
  }
  add_schedule(plan);
  return plan;
}

std::string plan_text(const Plan& plan) {
  std::vector<std::vector<std::string>> rows{
      {"trial", "label", "params", "Gflops", "training FLOPs", "memory", "disk", "asks for", "predicted"}};
  for (const PlanRow& row : plan.rows) rows.push_back(table_row(row));
  std::string text = table_text(rows);
  for (const sweeps::ExcludedCell& cell : plan.excluded) {
    text += fmt::format("left out: {}: {}\n", axes_text(cell.axes), cell.reason);
  }
  for (const AgentReport& agent : plan.agents)
    text += fmt::format("devices: {}: {}\n", agent.host, agent.devices.text());
  text += fmt::format("{} trials, {} of device time, {} of disk\n", plan.rows.size(),
                      duration_text(plan.device_seconds), bytes_text(plan.disk_bytes));
  text += fmt::format("longest first takes {}; no schedule takes less than {}\n", duration_text(plan.makespan_s),
                      duration_text(plan.makespan_bound_s));
  return text + (plan.rates_measured ? "seconds: by rates measured in this study\n"
                                     : "seconds: by assumed rates (nothing is measured yet): trust the order, not the "
                                       "values\n");
}

Json plan_json(const Plan& plan) {
  Json trials = Json::array();
  for (const PlanRow& row : plan.rows) {
    trials.push_back({{"id", row.id.str()},
                      {"label", row.label},
                      {"cpus", row.ask.cpus},
                      {"gpus", row.ask.gpus},
                      {"total_parameters", row.total_parameters},
                      {"forward_macs", row.forward_macs},
                      {"training_flops", row.training_flops},
                      {"memory_bytes", row.memory_bytes},
                      {"disk_bytes", row.disk_bytes},
                      {"predicted_s", row.predicted_s}});
  }
  Json excluded = Json::array();
  for (const sweeps::ExcludedCell& cell : plan.excluded)
    excluded.push_back({{"axes", cell.axes}, {"reason", cell.reason}});
  return {{"sweep", plan.name},
          {"trials", trials},
          {"excluded", excluded},
          {"device_seconds", plan.device_seconds},
          {"disk_bytes", plan.disk_bytes},
          {"makespan_s", plan.makespan_s},
          {"makespan_bound_s", plan.makespan_bound_s},
          {"rates_measured", plan.rates_measured}};
}

}  // namespace ditscale::orchestrator
