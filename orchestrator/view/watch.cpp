#include "orchestrator/view/watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

constexpr std::size_t kMaxRunningLines = 16;
constexpr std::size_t kBestScores = 3;

const common::Json& train_of(const ReportRow& row) { return row.trial.spec.at("train"); }

double steps_of(const ReportRow& row) { return std::max(1.0, train_of(row).value("steps", 1.0)); }

double images_of(const ReportRow& row) { return steps_of(row) * train_of(row).value("global_batch", 1.0); }

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

/// The coordinator starts the longest first.
std::string next_line(const Report& report, const Movement& movement) {
  if (movement.num_waiting == 0)
    return movement.num_running == 0 ? "" : "next: the running trials end, then all is done";
  const ReportRow* longest = nullptr;
  for (const ReportRow& row : report.rows) {
    const bool waits = row.trial.state != TrialState::kRunning && !results::is_final(row.trial.state);
    if (waits && (longest == nullptr || row.trial.training_flops > longest->trial.training_flops)) longest = &row;
  }
  return fmt::format("next: {} {} starts {}", longest->trial.id.brief(), longest->trial.label,
                     movement.num_running == 0 ? "with the next run" : "when its devices are free");
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
      movement.images_per_s += row.images_per_s.value_or(0);
      movement.flops_per_s += row.images_per_s.value_or(0) * row.trial.training_flops / images_of(row);
    } else if (!results::is_final(row.trial.state)) {
      ++movement.num_waiting;
    }
  }
  movement.done_share = all_flops > 0 ? done_flops / all_flops : 0.0;
  if (movement.flops_per_s > 0) movement.left_s = (all_flops - done_flops) / movement.flops_per_s;
  return movement;
}

std::vector<std::string> watch_lines(const Report& report, std::size_t columns) {
  const Movement movement = movement_of(report);
  const std::string left = movement.left_s ? ", about " + duration_text(*movement.left_s) + " of training left" : "";
  std::vector<std::string> lines{fmt::format("{}: {}{}", report.name, counts(report), left),
                                 bar(movement.done_share, columns)};
  if (movement.num_running > 0) {
    lines.push_back(fmt::format("{:.0f} images/s, {}FLOP/s in {} trials", movement.images_per_s,
                                si_text(movement.flops_per_s), movement.num_running));
  }
  add_running(report, lines);
  for (std::string line : {best_line(report), next_line(report, movement)}) {
    if (!line.empty()) lines.push_back(std::move(line));
  }
  if (columns > 0) {
    for (std::string& line : lines) line = cut(line, columns);
  }
  return lines;
}

}  // namespace ditscale::orchestrator
