#pragma once

#include <string>
#include <vector>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// The settings under which `metric` was scored, in the order of their ids.
[[nodiscard]] std::vector<results::SettingsRow> settings_of(const Study& study, const std::string& metric);

/// What tells these settings apart: one line per setting, "  a1b2c3d4  num_samples=2000 steps=50".
[[nodiscard]] std::string differences(const std::vector<results::SettingsRow>& settings);

/// The one setting a curve or fit is made of. Scores of different settings are not comparable, so several settings
/// without a choice are a UsageError that lists them; `wanted` is an id or the start of one. No scores at all is a
/// ConfigError.
[[nodiscard]] results::SettingsRow choose_settings(const Study& study, const std::string& metric,
                                                   const std::string& wanted);

/// The network whose features a setting compares: "fashion_cnn"; "unknown features" when it does not say.
[[nodiscard]] std::string features_of(const results::SettingsRow& settings);

/// A score's name on an axis: "FID (fashion_cnn features)".
[[nodiscard]] std::string score_label(const std::string& metric, const results::SettingsRow& settings);

}  // namespace ditscale::analysis
