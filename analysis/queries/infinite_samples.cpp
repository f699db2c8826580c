#include "analysis/queries/infinite_samples.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "analysis/statistics/extrapolation.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::analysis {

using common::Json;
using results::EvaluationRow;
using results::SettingsRow;

namespace {

constexpr std::array<const char*, 2> kBiased{"fid", "sfid"};
constexpr const char* kSuffix = "_infinity";
/// Residuals of so many standard errors are no chance: the scores do not go as 1/n.
constexpr double kLargestMisfit = 3;

/// Settings that differ in the number of samples alone.
struct Family {
  /// Of the settings: id → number of samples.
  std::map<std::string, std::int64_t> counts;
  /// Under which the extrapolated scores stand.
  SettingsRow settings;
};

std::vector<Family> families_of(const std::vector<SettingsRow>& all) {
  std::map<std::string, Family> by_rest;
  for (const SettingsRow& row : all) {
    const Json count = row.document.value("num_samples", Json());
    if (!count.is_number_integer() || count <= 0) continue;
    Json rest = row.document;
    rest.erase("num_samples");
    Family& family = by_rest[rest.dump()];
    family.counts[row.id] = count.get<std::int64_t>();
    family.settings.document = std::move(rest);
  }
  std::vector<Family> families;
  for (auto& [unused, family] : by_rest) {
    if (family.counts.size() < 2) continue;
    std::set<std::int64_t> counts;
    for (const auto& [id, count] : family.counts) counts.insert(count);
    family.settings.document["num_samples"] = fmt::format("extrapolated from {}", fmt::join(counts, ", "));
    family.settings.id = common::hash_hex64(common::canonical_text(family.settings.document));
    families.push_back(std::move(family));
  }
  return families;
}

/// The samples' covariance is singular: the bias is no 1/n there.
bool singular(const EvaluationRow& row, std::int64_t count) {
  return row.covariance_rank && *row.covariance_rank >= count - 1;
}

EvaluationRow extrapolated(const std::vector<const EvaluationRow*>& rows, const Family& family) {
  EvaluationRow result = *rows.front();
  result.settings_id = family.settings.id;
  result.metric += kSuffix;
  result.value.reset();
  result.standard_error.reset();
  result.covariance_rank.reset();
  std::vector<CountedScore> usable;
  for (const EvaluationRow* row : rows) {
    const std::int64_t count = family.counts.at(row->settings_id);
    if (!row->value || singular(*row, count)) continue;
    usable.push_back({static_cast<double>(count), *row->value, row->standard_error});
  }
  // Samples are drawn by their number: those of one seed begin alike, however many there are.
  const bool seeded = family.settings.document.contains("sample_seed");
  const auto found = at_infinite_samples(usable, seeded ? Samples::kNested : Samples::kIndependent);
  if (!found) {
    result.reason = fmt::format("{} usable numbers of samples of {}; an extrapolation in 1/n takes two",
                                usable.empty() ? "no" : "one", rows.front()->metric);
    return result;
  }
  result.value = found->value;
  result.standard_error = found->standard_error;
  result.reason = found->standard_error ? "" : "no standard error: two numbers of samples without errors of their own";
  if (found->misfit.value_or(0) > kLargestMisfit) {
    result.reason =
        fmt::format("{} does not go as 1/n: residuals of {:.1f} standard errors", rows.front()->metric, *found->misfit);
  }
  return result;
}

/// Scores of `metric` under the family's settings, by trial and step.
std::vector<std::vector<const EvaluationRow*>> groups_of(const Study& study, const Family& family,
                                                         const std::string& metric) {
  std::map<std::pair<std::string, std::int64_t>, std::vector<const EvaluationRow*>> groups;
  std::set<std::string> used;
  for (const EvaluationRow& row : study.evaluations) {
    if (row.metric != metric || !family.counts.contains(row.settings_id)) continue;
    used.insert(row.settings_id);
    groups[{row.trial.str(), row.step}].push_back(&row);
  }
  std::vector<std::vector<const EvaluationRow*>> list;
  if (used.size() < 2) return list;
  for (auto& [unused, rows] : groups) list.push_back(std::move(rows));
  return list;
}

}  // namespace

void add_extrapolated_scores(Study& study) {
  std::vector<EvaluationRow> added;
  for (const Family& family : families_of(study.settings)) {
    const std::size_t before = added.size();
    for (const char* metric : kBiased) {
      for (const auto& rows : groups_of(study, family, metric)) added.push_back(extrapolated(rows, family));
    }
    if (added.size() > before) study.settings.push_back(family.settings);
  }
  if (added.empty()) return;
  std::move(added.begin(), added.end(), std::back_inserter(study.evaluations));
  std::stable_sort(study.evaluations.begin(), study.evaluations.end(), [](const auto& a, const auto& b) {
    return std::pair(a.trial.str(), a.step) < std::pair(b.trial.str(), b.step);
  });
}

std::string why_not_extrapolated(const Study& study, const std::string& metric) {
  if (!metric.ends_with(kSuffix)) return "";
  const std::string scored = metric.substr(0, metric.size() - std::string(kSuffix).size());
  std::set<std::string> counts;
  for (const EvaluationRow& row : study.evaluations) {
    if (row.metric != scored) continue;
    const auto settings = std::find_if(study.settings.begin(), study.settings.end(),
                                       [&](const SettingsRow& one) { return one.id == row.settings_id; });
    if (settings != study.settings.end()) counts.insert(settings->document.value("num_samples", Json("?")).dump());
  }
  if (counts.empty()) return "";
  return fmt::format(
      "; {} was scored with {} samples, and an extrapolation in 1/n takes two numbers of samples under otherwise equal "
      "settings: add an entry of \"evaluate\" with another num_samples, or the metric {} to one",
      scored, fmt::join(counts, " or "), metric);
}

}  // namespace ditscale::analysis
