#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Curves of one figure that can be told apart.
inline constexpr std::size_t kMostCurves = 24;

/// The places 0 … `num` - 1, or `most` of them, evenly spread from the first to the last (one: the last).
[[nodiscard]] std::vector<std::size_t> spread_places(std::size_t num, std::size_t most);

/// The trials as they are, or `most` of them, from the smallest model to the largest.
[[nodiscard]] std::vector<const StudyTrial*> spread_by_size(std::vector<const StudyTrial*> trials,
                                                            std::size_t most = kMostCurves);

/// ", 24 of 32 trials" for a title, empty where all are shown.
[[nodiscard]] std::string part_text(std::size_t num_shown, std::size_t num_trials);

}  // namespace ditscale::analysis
