#pragma once

#include "analysis/queries/study.hpp"
#include "analysis/tables/table.hpp"

namespace ditscale::analysis {

/// One row per trial: size, state, loss, the last score under each setting ("fid", or "fid@a1b2" where there are
/// several), speed, reason.
[[nodiscard]] Table trial_table(const Study& study);

}  // namespace ditscale::analysis
