#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Scores of one metric across what else may vary; each figure is empty where nothing does. Scores share a figure only
/// when all their other settings are equal to those of `settings`.
struct SettingView {
  const Study& study;
  std::string metric;
  /// "FID (fashion_cnn features)".
  std::string score_label;
  results::SettingsRow settings;
};

/// Final score against guidance, a series per trial.
[[nodiscard]] Figure score_by_guidance(const SettingView& view);

/// Final score against what one sample costs (forward MACs x passes, guidance doubling them; log x), a series per
/// trial.
[[nodiscard]] Figure score_by_sampling_compute(const SettingView& view);

/// Score against training steps, a series per block design, of trials that differ in nothing but the block (and seed).
[[nodiscard]] Figure score_by_block(const SettingView& view);

}  // namespace ditscale::analysis
