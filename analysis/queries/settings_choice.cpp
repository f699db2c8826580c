#include "analysis/queries/settings_choice.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "analysis/queries/infinite_samples.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;
using results::SettingsRow;

namespace {

std::string brief(const std::string& id) { return id.substr(0, 8); }

/// Keys whose value is not the same in all settings.
std::set<std::string> differing_keys(const std::vector<SettingsRow>& settings) {
  std::set<std::string> keys;
  for (const SettingsRow& row : settings) {
    for (const auto& [key, unused] : row.document.items()) keys.insert(key);
  }
  std::erase_if(keys, [&](const std::string& key) {
    const Json first = settings.front().document.value(key, Json());
    return std::all_of(settings.begin(), settings.end(),
                       [&](const SettingsRow& row) { return row.document.value(key, Json()) == first; });
  });
  return keys;
}

std::string no_scores_message(const Study& study, const std::string& metric) {
  const auto names = study.score_names();
  if (!names.empty()) {
    return fmt::format("{}: no score is called \"{}\"; there are: {}{}", study.database.string(), metric,
                       fmt::join(names, ", "), why_not_extrapolated(study, metric));
  }
  return fmt::format("{}: nothing was scored yet; wait for the first evaluation, or add \"evaluate\" to the sweep",
                     study.database.string());
}

}  // namespace

std::vector<SettingsRow> settings_of(const Study& study, const std::string& metric) {
  std::vector<SettingsRow> found;
  std::copy_if(
      study.settings.begin(), study.settings.end(), std::back_inserter(found), [&](const SettingsRow& settings) {
        return std::any_of(study.evaluations.begin(), study.evaluations.end(),
                           [&](const auto& row) { return row.metric == metric && row.settings_id == settings.id; });
      });
  return found;
}

std::string differences(const std::vector<SettingsRow>& settings) {
  if (settings.empty()) return "";
  const std::set<std::string> keys = differing_keys(settings);
  std::string text;
  for (const SettingsRow& row : settings) {
    text += "  " + brief(row.id) + " ";
    for (const std::string& key : keys) {
      const Json value = row.document.value(key, Json());
      text += fmt::format(" {}={}", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
    text += "\n";
  }
  return text;
}

SettingsRow choose_settings(const Study& study, const std::string& metric, const std::string& wanted) {
  const std::vector<SettingsRow> all = settings_of(study, metric);
  if (all.empty()) throw common::ConfigError(no_scores_message(study, metric));
  if (wanted.empty()) {
    if (all.size() == 1) return all.front();
    throw common::UsageError(fmt::format(
        "{} was scored under {} different settings, which must not share a curve; choose one with --settings ID:\n{}",
        metric, all.size(), differences(all)));
  }
  std::vector<SettingsRow> fitting;
  std::copy_if(all.begin(), all.end(), std::back_inserter(fitting),
               [&](const SettingsRow& row) { return row.id.rfind(wanted, 0) == 0; });
  if (fitting.size() == 1) return fitting.front();
  throw common::UsageError(fmt::format("--settings {}: {} settings of {} start with it; there are:\n{}", wanted,
                                       fitting.size(), metric, differences(all)));
}

std::string features_of(const SettingsRow& settings) {
  const Json features = settings.document.value("features", Json());
  return features.is_string() ? features.get<std::string>() : "unknown";
}

std::string score_label(const std::string& metric, const SettingsRow& settings) {
  std::string name = metric;
  if (metric == "fid") name = "FID";
  if (metric == "sfid") name = "sFID";
  if (metric == "fid_infinity") name = "FID of infinitely many samples";
  if (metric == "sfid_infinity") name = "sFID of infinitely many samples";
  return fmt::format("{} ({} features)", name, features_of(settings));
}

}  // namespace ditscale::analysis
