#include "orchestrator/cli/trial_choice.hpp"

#include <fmt/ranges.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr std::size_t kShown = 12;

std::string known_ids(const Report& report) {
  std::vector<std::string> ids;
  for (const ReportRow& row : report.rows) {
    if (ids.size() == kShown) break;
    ids.push_back(row.trial.id.brief() + (row.trial.label.empty() ? "" : " (" + row.trial.label + ")"));
  }
  const char* more = report.rows.size() > kShown ? ", …" : "";
  return fmt::format("there are {}{}", fmt::join(ids, ", "), more);
}

}  // namespace

std::vector<ReportRow> choose_trials(const Report& report, const std::vector<std::string>& beginnings) {
  std::vector<ReportRow> chosen;
  for (const std::string& beginning : beginnings) {
    std::vector<ReportRow> fitting;
    for (const ReportRow& row : report.rows) {
      if (row.trial.id.starts_with(beginning)) fitting.push_back(row);
    }
    if (fitting.size() != 1) {
      throw common::UsageError(fmt::format("\"{}\" is the start of {} trials' ids, not of one: {}", beginning,
                                           fitting.size(), known_ids(report)));
    }
    chosen.push_back(std::move(fitting.front()));
  }
  return chosen;
}

}  // namespace ditscale::orchestrator
