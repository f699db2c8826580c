#include "orchestrator/view/watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/view/text.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

constexpr std::size_t kMaxRunningLines = 16;
constexpr std::size_t kBestScores = 3;

const common::Json& train_of(const ReportRow& row) { return row.trial.spec.at("train"); }

double steps_of(const ReportRow& row) { return std::max(1.0, train_of(row).value("steps", 1.0)); }

double images_of(const ReportRow& row) { return steps_of(row) * train_of(row).value("global_batch", 1.0); }

void add_devices(Movement& movement, const ReportRow& row) {
  const sweeps::ResourceSpec held = sweeps::stored_resources(row.trial.spec);
  movement.num_cpus += held.cpus * held.num_processes();
  movement.num_gpus += held.gpus;
}

/// "2 trials on 14 of 16 cpus and 4 of 8 gpus".
std::string devices_line(const Report& report, const Movement& movement) {
  std::string text =
      fmt::format("{} trials on {} of {} cpus", movement.num_running, movement.num_cpus, report.num_cpus);
  return report.num_gpus > 0 ? text + fmt::format(" and {} of {} gpus", movement.num_gpus, report.num_gpus) : text;
}

double done_share(const ReportRow& row) {
  if (results::is_final(row.trial.state)) return 1.0;
  return std::clamp(static_cast<double>(row.steps_done.value_or(0)) / steps_of(row), 0.0, 1.0);
}

std::string counts(const Report& report) {
  std::string text;
  for (const TrialState state :
       {TrialState::kSucceeded, TrialState::kRunning, TrialState::kPending, TrialState::kPreempted, TrialState::kLost,
        TrialState::kFailed, TrialState::kDiverged, TrialState::kCancelled, TrialState::kExcluded}) {
    const auto number = std::count_if(report.rows.begin(), report.rows.end(),
                                      [&](const ReportRow& row) { return row.trial.state == state; });
    if (number > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, results::to_name(state));
  }
  return text;
}

std::string bar(double share, std::size_t columns) {
  const std::size_t room = std::clamp<std::size_t>(columns, 30, 90) - 10;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(room));
  return fmt::format("[{}{}] {:3.0f} %", std::string(full, '#'), std::string(room - full, '-'), 100 * share);
}

std::string running_line(const ReportRow& row) {
  std::string text = fmt::format("  {}  {}  step {}/{:.0f}", row.trial.id.brief(), row.trial.label,
                                 row.steps_done.value_or(0), steps_of(row));
  if (row.loss) text += fmt::format("  loss {:.4f}", *row.loss);
  if (row.images_per_s) text += fmt::format("  {:.0f} images/s", *row.images_per_s);
  if (row.num_attempts > 1) text += fmt::format("  attempt {}", row.num_attempts);
  return text;
}

void add_running(const Report& report, std::vector<std::string>& lines) {
  std::size_t shown = 0;
  for (const ReportRow& row : report.rows) {
    if (row.trial.state == TrialState::kRunning && shown++ < kMaxRunningLines) lines.push_back(running_line(row));
  }
  if (shown > kMaxRunningLines) lines.push_back(fmt::format("  and {} more", shown - kMaxRunningLines));
}

std::string best_line(const Report& report) {
  std::vector<const ReportRow*> scored;
  for (const ReportRow& row : report.rows) {
    if (row.fid) scored.push_back(&row);
  }
  std::sort(scored.begin(), scored.end(), [](const auto* a, const auto* b) { return *a->fid < *b->fid; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kBestScores, scored.size()); ++i) {
    text += fmt::format("{}{:.2f} {} {}", i == 0 ? "best FID: " : "; ", *scored[i]->fid, scored[i]->trial.id.brief(),
                        scored[i]->trial.label);
  }
  return text;
}

bool waits(const ReportRow& row) {
  return row.trial.state != TrialState::kRunning && !results::is_final(row.trial.state);
}

std::string next_line(const Movement& movement, const std::optional<Outlook>& outlook) {
  if (movement.num_waiting == 0)
    return movement.num_running == 0 ? "" : "next: the running trials end, then all is done";
  if (outlook) return outlook->next;
  return movement.num_running == 0 ? "next: what waits starts with the next run" : "";
}

}  // namespace

Movement movement_of(const Report& report) {
  Movement movement;
  double all_flops = 0;
  double done_flops = 0;
  for (const ReportRow& row : report.rows) {
    all_flops += row.trial.training_flops;
    done_flops += row.trial.training_flops * done_share(row);
    if (row.trial.state == TrialState::kRunning) {
      ++movement.num_running;
      add_devices(movement, row);
      movement.images_per_s += row.images_per_s.value_or(0);
      movement.flops_per_s += row.images_per_s.value_or(0) * row.trial.training_flops / images_of(row);
    } else if (waits(row)) {
      ++movement.num_waiting;
    }
  }
  movement.done_share = all_flops > 0 ? done_flops / all_flops : 0.0;
  return movement;
}

std::vector<std::string> watch_lines(const Report& report, const std::optional<Outlook>& outlook, std::size_t columns) {
  const Movement movement = movement_of(report);
  const std::string left = outlook ? ", about " + duration_text(outlook->left_s) + " left" : "";
  std::vector<std::string> lines{fmt::format("{}: {}{}", report.name, counts(report), left),
                                 bar(movement.done_share, columns)};
  if (movement.num_running > 0) {
    const std::string flops = movement.flops_per_s > 0 ? ", " + si_text(movement.flops_per_s) + "FLOP/s" : "";
    lines.push_back(
        fmt::format("{:.0f} images/s{} in {}", movement.images_per_s, flops, devices_line(report, movement)));
  }
  add_running(report, lines);
  for (std::string line : {best_line(report), next_line(movement, outlook)}) {
    if (!line.empty()) lines.push_back(std::move(line));
  }
  if (columns > 0) {
    for (std::string& line : lines) line = cut(line, columns);
  }
  return lines;
}

}  // namespace ditscale::orchestrator
