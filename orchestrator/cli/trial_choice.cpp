#include "orchestrator/cli/trial_choice.hpp"

#include <fmt/ranges.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr std::size_t kShown = 12;

std::string ids_of(const std::vector<ReportRow>& rows) {
  std::vector<std::string> ids;
  for (const ReportRow& row : rows) {
    if (ids.size() == kShown) break;
    ids.push_back(row.trial.id.brief() + (row.trial.label.empty() ? "" : " (" + row.trial.label + ")"));
  }
  const char* more = rows.size() > kShown ? ", …" : "";
  return fmt::format("{}{}", fmt::join(ids, ", "), more);
}

}  // namespace

std::vector<ReportRow> choose_trials(const Report& report, const std::vector<std::string>& beginnings) {
  std::vector<ReportRow> chosen;
  for (const std::string& beginning : beginnings) {
    std::vector<ReportRow> fitting;
    for (const ReportRow& row : report.rows) {
      if (row.trial.id.starts_with(beginning)) fitting.push_back(row);
    }
    if (fitting.empty()) {
      throw common::UsageError(
          fmt::format("\"{}\" is the start of no trial's id; there are {}", beginning, ids_of(report.rows)));
    }
    if (fitting.size() > 1) {
      throw common::UsageError(
          fmt::format("\"{}\" is the start of {} trials' ids; write more of the one that is meant: {}", beginning,
                      fitting.size(), ids_of(fitting)));
    }
    chosen.push_back(std::move(fitting.front()));
  }
  return chosen;
}

}  // namespace ditscale::orchestrator
