#include "orchestrator/view/overview.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

using results::TrialState;

namespace {

double left_s(const Trial& trial) {
  if (results::is_final(trial.state)) return 0.0;
  return trial.work_left_s(trial.run ? trial.progress.step : trial.progress.checkpoint_step);
}

std::string bar(double share, std::size_t columns) {
  const std::size_t room = std::clamp<std::size_t>(columns, 30, 90) - 10;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(room));
  return fmt::format("[{}{}] {:3.0f} %", std::string(full, '#'), std::string(room - full, '-'), 100 * share);
}

}  // namespace

Overview overview_of(const State& state) {
  Overview overview;
  double all_s = 0;
  double undone_s = 0;
  for (const Trial& trial : state.trials) {
    all_s += trial.predicted_s - sweeps::kStartUp_s;
    undone_s += left_s(trial);
    if (trial.run) {
      ++overview.running;
    } else if (!results::is_final(trial.state)) {
      ++overview.queued;
    } else if (trial.state == TrialState::kSucceeded) {
      ++overview.succeeded;
    } else {
      ++(trial.ended_badly() ? overview.bad : overview.stopped_early);
    }
  }
  overview.done_share = all_s > 0 ? std::clamp(1 - undone_s / all_s, 0.0, 1.0) : 0.0;
  return overview;
}

std::string counts_text(const Overview& overview) {
  std::string text =
      fmt::format("{} done, {} running, {} queued", overview.succeeded, overview.running, overview.queued);
  if (overview.bad > 0) text += fmt::format(", {} failed", overview.bad);
  if (overview.stopped_early > 0) text += fmt::format(", {} stopped early", overview.stopped_early);
  return text;
}

std::string running_text(const Trial& trial) {
  const Progress& progress = trial.progress;
  std::string text = fmt::format("{}  {}  step {}/{}", trial.cell.id.brief(), trial.cell.label(), progress.step,
                                 trial.cell.trial.train.steps);
  if (progress.loss) text += fmt::format("  loss {:.4f}", *progress.loss);
  if (progress.images_per_s) text += fmt::format("  {:.0f} images/s", *progress.images_per_s);
  if (trial.num_attempts > 1) text += fmt::format("  attempt {}", trial.num_attempts);
  if (trial.run && trial.run->stop != StopKind::kNone) text += "  stopping";
  return text;
}

std::vector<std::string> live_lines(const State& state, const std::string& name, const Outlook& outlook,
                                    std::size_t columns, std::size_t max_running) {
  const Overview overview = overview_of(state);
  const std::string left = state.stopping ? "stopping" : "about " + duration_text(outlook.left_s) + " left";
  std::vector<std::string> lines{fmt::format("{}: {}, {}", name, counts_text(overview), left),
                                 bar(overview.done_share, columns), utilisation_text(state.nodes)};
  std::size_t shown = 0;
  for (const Trial& trial : state.trials) {
    if (trial.run && shown++ < max_running) lines.push_back("  " + running_text(trial));
  }
  if (shown > max_running) lines.push_back(fmt::format("  and {} more", shown - max_running));
  if (!outlook.next.empty()) lines.push_back(outlook.next);
  for (std::string& line : lines) line = cut(line, columns);
  return lines;
}

}  // namespace ditscale::orchestrator
