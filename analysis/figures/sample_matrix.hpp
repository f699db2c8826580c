#pragma once

#include "analysis/figures/figure.hpp"
#include "analysis/queries/sample_pictures.hpp"

namespace ditscale::analysis {

/// Samples of the trials beside each other by rising training compute; empty without pictures. Files that are no PNG
/// are left out.
[[nodiscard]] Figure sample_matrix(const Study& study, const std::vector<SamplePicture>& pictures);

}  // namespace ditscale::analysis
