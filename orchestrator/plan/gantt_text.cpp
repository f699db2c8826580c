#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "orchestrator/plan/gantt.hpp"
#include "orchestrator/plan/time_axis.hpp"
#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr std::size_t kMinColumns = 40;
constexpr std::size_t kMaxHostColumns = 20;

/// Seconds on a line of characters.
class Scale {
 public:
  Scale(double span_s, std::size_t columns) : span_s_(span_s), columns_(columns) {}

  [[nodiscard]] std::size_t column(double at_s) const {
    const auto column = std::llround(at_s / span_s_ * static_cast<double>(columns_));
    return std::min(static_cast<std::size_t>(column), columns_);
  }
  /// Trials shorter than a column get one.
  [[nodiscard]] std::string line(const GanttLane& lane, const std::vector<GanttTrial>& trials) const {
    std::string line(columns_, '.');
    for (const GanttBar& bar : lane.bars) {
      const std::size_t start = std::min(column(bar.start_s), columns_ - 1);
      const std::size_t end = std::max(column(bar.end_s), start + 1);
      line.replace(start, end - start, end - start, trials[bar.trial].mark);
    }
    return line;
  }
  /// The ticks' times, and below them the ticks.
  [[nodiscard]] std::pair<std::string, std::string> axis() const {
    constexpr std::size_t kColumnsOfTick = 10;
    const double step_s = tick_step_s(span_s_, static_cast<int>(std::max<std::size_t>(1, columns_ / kColumnsOfTick)));
    std::string times(columns_, ' ');
    std::string ticks(columns_, '-');
    for (int tick = 0; column(tick * step_s) < columns_; ++tick) {
      const std::size_t at = column(tick * step_s);
      const std::string text = tick_text(tick * step_s, step_s);
      ticks[at] = '|';
      if (at + text.size() <= columns_) times.replace(at, text.size(), text);
    }
    return {times.substr(0, times.find_last_not_of(' ') + 1), ticks};
  }

 private:
  double span_s_;
  std::size_t columns_;
};

std::string legend(const Gantt& gantt, std::size_t columns) {
  std::vector<std::vector<std::string>> rows{{"", "trial", "from", "to", "label"}};
  for (const GanttTrial& trial : gantt.trials) {
    if (trial.mark == '#') break;
    rows.push_back({std::string(1, trial.mark), trial.id.brief(), duration_text(trial.start_s),
                    duration_text(trial.end_s), trial.label});
  }
  std::istringstream lines(table_text(rows));
  std::string text;
  for (std::string line; std::getline(lines, line);) text += cut(line, columns) + "\n";
  const std::size_t num_unnamed = gantt.trials.size() + 1 - rows.size();
  if (num_unnamed > 0) text += fmt::format("#  {} further trials\n", num_unnamed);
  return text;
}

}  // namespace

std::string gantt_text(const Gantt& gantt, std::size_t columns) {
  if (gantt.trials.empty() || gantt.makespan_s <= 0) return "";
  columns = std::max(columns, kMinColumns);
  std::size_t host_columns = 0;
  for (const GanttLane& lane : gantt.lanes) host_columns = std::max(host_columns, lane.host.size());
  host_columns = std::min(host_columns, kMaxHostColumns);
  const Scale scale(gantt.makespan_s, columns - host_columns - 2);
  const auto [times, ticks] = scale.axis();
  std::string text = fmt::format("{:{}}  {}\n{:{}}  {}\n", "", host_columns, times, "", host_columns, ticks);
  for (const GanttLane& lane : gantt.lanes) {
    const std::string host = lane.names_host ? cut(lane.host, host_columns) : "";
    text += fmt::format("{:{}}  {}\n", host, host_columns, scale.line(lane, gantt.trials));
  }
  if (!gantt.cut_text().empty()) text += gantt.cut_text() + "\n";
  return text + legend(gantt, columns);
}

}  // namespace ditscale::orchestrator
