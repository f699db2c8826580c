#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/evaluation/scores/sample_groups.hpp"

namespace ditscale::worker {

/// What scores without one group each say about the score of all.
struct Jackknife {
  /// Of the score, as if the samples were drawn anew; the reference is taken as given.
  double standard_error;
  /// The score without the part of its bias that goes as 1/n: its extrapolation to infinitely many samples.
  /// Its standard error is the one above: both come from the spread of the pseudo-values.
  double extrapolated;
};

/// The delete-a-group jackknife (Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", 1999, eqs. 3-5;
/// with equal groups, Quenouille's and Tukey's). `left_out[g]` is the score without group g. Empty when fewer samples
/// than two per group are there.
[[nodiscard]] std::optional<Jackknife> jackknife(double whole, const std::vector<double>& left_out,
                                                 const SampleGroups& groups);

/// Why there is none.
[[nodiscard]] std::string too_few_for_jackknife(const SampleGroups& groups);

/// Whether there is one.
[[nodiscard]] inline bool allows_jackknife(const SampleGroups& groups) {
  return groups.num_samples >= 2 * SampleGroups::kGroups;
}

}  // namespace ditscale::worker
