#include "orchestrator/plan/plan.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "orchestrator/coordinator/admission.hpp"
#include "orchestrator/coordinator/makespan_bound.hpp"
#include "orchestrator/coordinator/room.hpp"
#include "orchestrator/plan/disk.hpp"
#include "orchestrator/view/text.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

using common::Json;

namespace {

/// The cell as these nodes can run it: a gang that may shrink asks for what they hold. Its id stays.
sweeps::Cell fitted(sweeps::Cell cell, const Nodes& nodes) {
  const std::int64_t processes = ask_for(nodes, cell.trial).processes;
  sweeps::ResourceSpec& resources = cell.trial.resources;
  if (processes == resources.num_processes()) return cell;
  if (resources.gpus > 0) resources.gpus = processes;
  resources.processes = processes;
  return cell;
}

PlanRow row_of(const sweeps::Cell& cell, const sweeps::Speed& speed) {
  const sweeps::TrialSpec& trial = cell.trial;
  PlanRow row;
  row.id = cell.id;
  row.label = cell.label();
  row.ask = ask_of(trial.resources);
  row.total_parameters = sweeps::count_parameters(trial.shape()).total;
  row.forward_macs = sweeps::forward_macs(trial.shape());
  row.training_flops = sweeps::training_flops_per_image(trial.shape()) * static_cast<double>(trial.train.steps) *
                       static_cast<double>(trial.train.global_batch);
  const std::int64_t micro_batch = trial.train.local_micro_batch(trial.resources.num_processes());
  row.precision = sweeps::expected_precision(trial, trial.resources.gpus);
  row.memory_bytes = process_memory_bytes(trial, micro_batch);
  row.memory_fp32_bytes = process_memory_bytes(trial, micro_batch, "fp32");
  row.memory_bf16_bytes = process_memory_bytes(trial, micro_batch, "bf16");
  row.disk_bytes = disk_bytes(trial);
  row.predicted_s = sweeps::predicted_s(trial, speed);
  row.is_measured = speed.num_runs > 0;
  return row;
}

void judge_memory(PlanRow& row, const sweeps::Cell& cell, std::optional<double> available_bytes) {
  row.available_bytes = available_bytes;
  if (!available_bytes) return;
  row.largest_micro_batch = largest_micro_batch(cell.trial, *available_bytes);
  if (*row.largest_micro_batch > 0 || !row.refusal.empty()) return;
  row.refusal =
      fmt::format("trial {} ({}) needs {} for each process even with train.micro_batch=1, more than {} has ({})",
                  cell.id.brief(), cell.label(), bytes_text(process_memory_bytes(cell.trial, 1)),
                  cell.trial.resources.gpus > 0 ? "a GPU" : "each on a full node", bytes_text(*available_bytes));
}

void add_schedule(Plan& plan, const std::vector<sweeps::Cell>& cells, const FailureQuestion& failures) {
  std::vector<Ask> nodes;
  for (const AgentReport& agent : plan.agents) {
    nodes.push_back({std::ssize(agent.devices.cpus), std::ssize(agent.devices.gpus)});
  }
  std::vector<Job> jobs;
  std::vector<PlannedTrial> trials;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    if (!plan.rows[i].refusal.empty()) continue;
    jobs.push_back({plan.rows[i].ask, plan.rows[i].predicted_s});
    trials.push_back({cells[i], plan.rows[i].predicted_s});
  }
  if (trials.empty()) return;
  plan.forecast = forecast(trials, plan.agents, plan.speeds, failures);
  plan.makespan_bound_s = makespan_bound_s(nodes, jobs);
  // The simulation adds up steps: a rounded sum may fall below what it stands for.
  plan.forecast.makespan_s = std::max(plan.forecast.makespan_s, plan.makespan_bound_s);
}

std::vector<std::string> table_row(const PlanRow& row) {
  return {row.id.brief(),
          row.label.empty() ? "(the only cell)" : row.label,
          si_text(static_cast<double>(row.total_parameters)),
          fmt::format("{:.4g}", static_cast<double>(row.forward_macs) * 1e-9),
          fmt::format("{:.3g}", row.training_flops),
          bytes_text(row.memory_fp32_bytes),
          bytes_text(row.memory_bf16_bytes),
          row.largest_micro_batch ? std::to_string(*row.largest_micro_batch) : "-",
          bytes_text(row.disk_bytes),
          row.ask.text(),
          duration_text(row.predicted_s)};
}

std::string nodes_line(const std::vector<AgentReport>& agents) {
  if (agents.size() == 1) return fmt::format("devices: {}: {}\n", agents[0].host, agents[0].devices.text());
  return fmt::format("devices: {}\n", nodes_text(agents));
}

std::string price_text(const Plan& plan) {
  const auto cost = plan.cost();
  return cost ? fmt::format(", costs {:.2f}", *cost) : "";
}

/// Columns of the table that give way on a narrow terminal, the least missed first.
const std::vector<std::string> kGivingWay{"disk",   "training FLOPs", "bf16 memory", "fp32 memory", "Gflops",
                                          "params", "asks for",       "micro-batch", "label"};

std::string micro_batch_line(const Plan& plan) {
  const auto count = std::count_if(plan.rows.begin(), plan.rows.end(),
                                   [](const PlanRow& row) { return row.needs_smaller_micro_batch(); });
  if (count == 0) return "";
  return fmt::format("{} trial{} more memory than there is: set train.micro_batch to what the table shows, or less\n",
                     count, count == 1 ? " needs" : "s need");
}

std::string assumed_text(const Ask& ask, const sweeps::Speed& speed) {
  if (ask.gpus == 0) return "assumed by the roofline of so many cores: trust the order, not the values";
  if (sweeps::is_known_gpu(speed.gpu_name)) return "assumed by the roofline of " + speed.gpu_name;
  return "assumed by the roofline of a made-up GPU: trust the order, not the values";
}

std::string speeds_text(const std::map<Ask, sweeps::Speed>& speeds) {
  std::string text;
  for (const auto& [ask, speed] : speeds) {
    text += fmt::format("seconds on {}: {}\n", ask.text(),
                        speed.num_runs > 0
                            ? fmt::format("the roofline corrected by {} measured attempt{} of this study "
                                          "(work x {:.3g}, launches x {:.3g})",
                                          speed.num_runs, speed.num_runs == 1 ? "" : "s", speed.work, speed.launches)
                            : assumed_text(ask, speed));
  }
  return text;
}

Json speeds_json(const std::map<Ask, sweeps::Speed>& speeds) {
  Json json = Json::array();
  for (const auto& [ask, speed] : speeds) {
    json.push_back({{"asks_for", ask.text()},
                    {"gpu_name", speed.gpu_name.empty() ? Json() : Json(speed.gpu_name)},
                    {"measured_attempts", speed.num_runs},
                    {"work_factor", speed.work},
                    {"launches_factor", speed.launches}});
  }
  return json;
}

std::string axes_text(const std::map<std::string, Json>& axes) {
  std::string text;
  for (const auto& [path, value] : axes) text += (text.empty() ? "" : " ") + path + "=" + value.dump();
  return text;
}

}  // namespace

bool PlanRow::needs_smaller_micro_batch() const {
  return refusal.empty() && available_bytes && memory_bytes > *available_bytes;
}

std::optional<double> Plan::cost() const {
  return price_per_hour ? std::optional<double>(*price_per_hour * device_hours()) : std::nullopt;
}

std::size_t Plan::num_refused() const {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const PlanRow& row) { return !row.refusal.empty(); }));
}

Plan make_plan(const sweeps::Sweep& sweep, const std::vector<AgentReport>& agents, const SpeedOf& speed_of,
               const FailureQuestion& failures, const DeviceMemory& memory) {
  Plan plan;
  plan.name = sweep.name;
  plan.excluded = sweep.excluded;
  plan.agents = agents;
  const Nodes nodes = empty_nodes(agents);
  std::vector<sweeps::Cell> cells;
  std::map<Ask, bool> fits;
  for (const sweeps::Cell& each : sweep.cells) {
    const sweeps::Cell& cell = cells.emplace_back(fitted(each, nodes));
    const Ask ask = ask_of(cell.trial.resources);
    if (plan.speeds.count(ask) == 0) {
      plan.speeds[ask] = speed_of(ask);
      fits[ask] = capacity_for(nodes, ask) >= ask.processes;
    }
    PlanRow row = row_of(cell, plan.speeds[ask]);
    if (!fits[ask]) row.refusal = why_too_large({cell}, agents).value_or("");
    judge_memory(row, cell, available_memory_bytes(cell.trial, agents, memory));
    if (row.refusal.empty()) {
      plan.device_seconds += row.predicted_s * static_cast<double>(cell.trial.resources.num_devices());
      plan.disk_bytes += row.disk_bytes;
    }
    plan.rows.push_back(std::move(row));
  }
  add_schedule(plan, cells, failures);
  return plan;
}

std::string plan_text(const Plan& plan, std::size_t columns) {
  std::vector<std::vector<std::string>> rows{{"trial", "label", "params", "Gflops", "training FLOPs", "fp32 memory",
                                              "bf16 memory", "micro-batch", "disk", "asks for", "predicted"}};
  for (const PlanRow& row : plan.rows) rows.push_back(table_row(row));
  std::string text = fitted_table_text(std::move(rows), columns, kGivingWay);
  for (const sweeps::ExcludedCell& cell : plan.excluded) {
    text += fmt::format("left out: {}: {}\n", axes_text(cell.axes), cell.reason);
  }
  for (const PlanRow& row : plan.rows) {
    if (!row.refusal.empty()) text += fmt::format("cannot run: {}\n", row.refusal);
  }
  text += micro_batch_line(plan);
  text += nodes_line(plan.agents);
  text += fmt::format("{} trials, {:.3g} device hours{}, {} of disk\n", plan.rows.size() - plan.num_refused(),
                      plan.device_hours(), price_text(plan), bytes_text(plan.disk_bytes));
  text += fmt::format("the schedule takes {}; no schedule takes less than {}\n",
                      duration_text(plan.forecast.makespan_s), duration_text(plan.makespan_bound_s));
  text += failures_text(plan.forecast);
  return text + speeds_text(plan.speeds);
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
                      {"precision", row.precision},
                      {"memory_bytes", row.memory_bytes},
                      {"memory_fp32_bytes", row.memory_fp32_bytes},
                      {"memory_bf16_bytes", row.memory_bf16_bytes},
                      {"available_bytes", row.available_bytes ? Json(*row.available_bytes) : Json()},
                      {"largest_micro_batch", row.largest_micro_batch ? Json(*row.largest_micro_batch) : Json()},
                      {"disk_bytes", row.disk_bytes},
                      {"predicted_s", row.predicted_s},
                      {"speed_measured", row.is_measured},
                      {"processes", row.ask.processes},
                      {"cannot_run", row.refusal.empty() ? Json() : Json(row.refusal)}});
  }
  Json excluded = Json::array();
  for (const sweeps::ExcludedCell& cell : plan.excluded)
    excluded.push_back({{"axes", cell.axes}, {"reason", cell.reason}});
  Json schedule = Json::array();
  for (const PlannedSpan& span : plan.forecast.spans) {
    schedule.push_back({{"id", span.trial.str()},
                        {"hosts", hosts_text(span.shares)},
                        {"devices", devices_text(span.shares)},
                        {"start_s", span.start_s},
                        {"end_s", span.end_s}});
  }
  return {{"sweep", plan.name},
          {"trials", trials},
          {"excluded", excluded},
          {"device_seconds", plan.device_seconds},
          {"device_hours", plan.device_hours()},
          {"disk_bytes", plan.disk_bytes},
          {"cost", plan.cost() ? Json(*plan.cost()) : Json()},
          {"schedule", schedule},
          {"makespan_s", plan.forecast.makespan_s},
          {"makespan_with_failures_s", failures_json(plan.forecast)},
          {"makespan_bound_s", plan.makespan_bound_s},
          {"speeds", speeds_json(plan.speeds)}};
}

}  // namespace ditscale::orchestrator
