#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/queries/sample_pictures.hpp"

namespace ditscale::analysis {

/// Samples of the trials under `settings` beside each other by rising training compute; empty without pictures. Files
/// that are no PNG are left out.
[[nodiscard]] Figure sample_matrix(const Study& study, const results::SettingsRow& settings,
                                   const std::vector<SamplePicture>& pictures);

}  // namespace ditscale::analysis
