#include "orchestrator/view/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <numeric>
#include <string_view>

#include <fmt/ranges.h>

namespace ditscale::orchestrator {

namespace {

/// Between columns of a table.
constexpr std::string_view kGap = "  ";

bool looks_like_number(const std::string& cell) {
  return cell.empty() || cell == "-" || std::isdigit(static_cast<unsigned char>(cell.front())) != 0;
}

bool stands_right(const std::vector<std::vector<std::string>>& rows, std::size_t column) {
  return std::all_of(rows.begin() + 1, rows.end(), [&](const auto& row) { return looks_like_number(row[column]); });
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

std::size_t table_width(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<std::size_t> widths = widths_of(rows);
  return std::accumulate(widths.begin(), widths.end(), kGap.size() * (widths.size() - 1));
}

std::string with_prefix(double value, const char* unit) {
  constexpr std::array<const char*, 7> kPrefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  for (; std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000.0;
  const std::string number = prefix == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
  return fmt::format("{} {}{}", number, kPrefixes[prefix], unit);
}

}  // namespace

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 60) return fmt::format("{:.1f} s", std::max(0.0, seconds));
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole / 3600 % 24);
}

std::string bytes_text(double bytes) { return with_prefix(bytes, "B"); }

std::string si_text(double value) {
  std::string text = with_prefix(value, "");
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string cut(const std::string& text, std::size_t columns) {
  if (text.size() <= columns) return text;
  return columns <= 3 ? text.substr(0, columns) : text.substr(0, columns - 3) + "...";
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  const std::vector<std::size_t> widths = widths_of(rows);
  std::vector<bool> right(widths.size());
  for (std::size_t i = 0; i < widths.size(); ++i) right[i] = stands_right(rows, i);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += kGap;
      line += right[i] ? fmt::format("{:>{}}", row[i], widths[i]) : fmt::format("{:<{}}", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string fitted_table_text(std::vector<std::vector<std::string>> rows, std::size_t columns,
                              const std::vector<std::string>& giving_way) {
  std::vector<std::string> hidden;
  for (const std::string& name : giving_way) {
    if (columns == 0 || rows.empty() || table_width(rows) <= columns) break;
    const auto column = std::find(rows.front().begin(), rows.front().end(), name) - rows.front().begin();
    for (auto& row : rows) row.erase(row.begin() + column);
    hidden.push_back(name);
  }
  std::string text = table_text(rows);
  if (!hidden.empty()) text += fmt::format("Not shown in {} columns: {}\n", columns, fmt::join(hidden, ", "));
  return text;
}

}  // namespace ditscale::orchestrator
