#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/json_document.hpp"
#include "orchestrator/plan/gantt.hpp"
#include "orchestrator/plan/time_axis.hpp"
#include "orchestrator/view/text.hpp"

namespace ditscale::orchestrator {

namespace {

// All lengths are the picture's own units.
constexpr double kWidth = 960;
constexpr double kMargin = 16;
constexpr double kCharacter = 7.2;  // of the 12 units high monospaced font
constexpr double kLane = 20;
constexpr double kTop = 64;
constexpr double kLegendLine = 18;
constexpr std::size_t kMaxHostCharacters = 24;

/// Light enough for black text. Borders and letters tell trials apart where there is no colour.
constexpr std::array<const char*, 6> kFills{"#cfe3f5", "#8fb8de", "#f7e3b5", "#dda15e", "#d4ecd2", "#93c29a"};

/// As XML's text or attribute; what XML cannot hold becomes '?'.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char character : common::valid_utf8(text)) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += static_cast<unsigned char>(character) < 0x20 ? '?' : character;
    }
  }
  return result;
}

/// Cut to so many bytes, but not within a character.
std::string fitted(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return escaped(text);
  std::size_t end = bytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return escaped(text.substr(0, end) + "...");
}

class Picture {
 public:
  explicit Picture(const Gantt& gantt) : gantt_(gantt) {
    std::size_t characters = 0;
    for (const GanttLane& lane : gantt.lanes) characters = std::max(characters, lane.host.size());
    left_ = kMargin + kCharacter * static_cast<double>(std::min(characters, kMaxHostCharacters) + 1);
    bottom_ = kTop + kLane * static_cast<double>(gantt.lanes.size());
  }

  std::string draw() {
    draw_head();
    draw_axis();
    for (std::size_t i = 0; i < gantt_.lanes.size(); ++i)
      draw_lane(gantt_.lanes[i], kTop + kLane * static_cast<double>(i));
    draw_legend();
    return body_ + "</svg>\n";
  }

 private:
  [[nodiscard]] double x(double at_s) const { return left_ + at_s / gantt_.makespan_s * (kWidth - kMargin - left_); }

  void text(double at_x, double at_y, const char* anchor, const std::string& escaped_text) {
    body_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at_x, at_y, anchor, escaped_text);
  }

  void draw_head() {
    const double height = bottom_ + kMargin * 2 + kLegendLine * static_cast<double>(num_legend_lines());
    body_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"monospace\" font-size=\"12\" fill=\"#111\">\n"
        "<title>Schedule of {2}</title>\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n"
        "<text x=\"{3}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{4}</text>\n",
        kWidth, height, escaped(gantt_.name), kMargin,
        fitted(fmt::format("{}: {} on {} node{}", gantt_.name, duration_text(gantt_.makespan_s), gantt_.num_nodes,
                           gantt_.num_nodes == 1 ? "" : "s"),
               90));
  }

  void draw_axis() {
    constexpr int kMaxTicks = 8;
    const double step_s = tick_step_s(gantt_.makespan_s, kMaxTicks);
    for (int tick = 0; tick * step_s <= gantt_.makespan_s; ++tick) {
      const double at = x(tick * step_s);
      body_ += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#bbb\"/>\n", at,
                           kTop - 6, bottom_);
      text(at, kTop - 12, at + 24 > kWidth - kMargin ? "end" : "middle", tick_text(tick * step_s, step_s));
    }
  }

  void draw_lane(const GanttLane& lane, double top) {
    if (lane.names_host) {
      body_ += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{1}\" stroke=\"#bbb\"/>\n", kMargin, top,
                           kWidth - kMargin);
      text(kMargin, top + 14, "start", fitted(lane.host, kMaxHostCharacters));
    }
    for (const GanttBar& bar : lane.bars) draw_bar(bar, lane.host, top);
  }

  void draw_bar(const GanttBar& bar, const std::string& host, double top) {
    const GanttTrial& trial = gantt_.trials[bar.trial];
    const double width = std::max(x(bar.end_s) - x(bar.start_s), 1.0);
    body_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\" stroke=\"#333\" stroke-width=\"0.8\">"
        "<title>{} {} on {}: from {} to {}</title></rect>\n",
        x(bar.start_s), top + 2, width, kLane - 4, kFills[bar.trial % kFills.size()], trial.id.str(),
        escaped(trial.label), escaped(host), duration_text(bar.start_s), duration_text(bar.end_s));
    if (width >= kCharacter + 4) text(x(bar.start_s) + width / 2, top + 14, "middle", std::string(1, trial.mark));
  }

  [[nodiscard]] std::size_t num_named() const {
    return static_cast<std::size_t>(std::count_if(gantt_.trials.begin(), gantt_.trials.end(),
                                                  [](const GanttTrial& trial) { return trial.mark != '#'; }));
  }
  /// Two trials a line, and what is not shown.
  [[nodiscard]] std::size_t num_legend_lines() const {
    return (num_named() + 1) / 2 + (num_named() < gantt_.trials.size() ? 1 : 0) + (gantt_.cut_text().empty() ? 0 : 1);
  }

  void draw_legend() {
    constexpr double kColumn = (kWidth - 2 * kMargin) / 2;
    const auto characters = static_cast<std::size_t>(kColumn / kCharacter) - 4;
    const std::size_t num_rows = (num_named() + 1) / 2;
    double y = bottom_ + kMargin + kLegendLine;
    for (std::size_t i = 0; i < num_named(); ++i) {
      const GanttTrial& trial = gantt_.trials[i];
      text(kMargin + kColumn * static_cast<double>(i / num_rows), y + kLegendLine * static_cast<double>(i % num_rows),
           "start", fitted(fmt::format("{} {} {}", trial.mark, trial.id.brief(), trial.label), characters));
    }
    y += kLegendLine * static_cast<double>(num_rows);
    if (num_named() < gantt_.trials.size()) {
      text(kMargin, y, "start", fmt::format("# {} further trials", gantt_.trials.size() - num_named()));
      y += kLegendLine;
    }
    if (!gantt_.cut_text().empty()) text(kMargin, y, "start", gantt_.cut_text());
  }

  const Gantt& gantt_;
  double left_ = 0;
  double bottom_ = 0;
  std::string body_;
};

}  // namespace

std::string gantt_svg(const Gantt& gantt) {
  if (gantt.makespan_s > 0) return Picture(gantt).draw();
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>Nothing can run</title></svg>\n";
}

}  // namespace ditscale::orchestrator
