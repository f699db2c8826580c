#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/advice/study_law.hpp"

namespace ditscale::analysis {

/// The quantity whose interval is to shrink: a parameter of the law ("alpha", "E", "A"), or the law at one x.
struct Target {
  std::string parameter;
  double at_x = 0;
  [[nodiscard]] std::string text() const;
};

struct Candidate {
  sweeps::TrialSpec spec;
  /// What was set, path → value.
  common::Json axes = common::Json::object();
  double x = 0;
  Cost cost;
};

struct Suggestion {
  Candidate candidate;
  /// Half width of the 95 % interval of the target (of its logarithm, for `at_x`), before and after this trial, each
  /// with all suggestions before it taken.
  double half_width_before = 0;
  double half_width_after = 0;
  [[nodiscard]] double per_device_hour() const {
    return (half_width_before - half_width_after) / candidate.cost.device_hours;
  }
};

struct Candidates {
  std::vector<Candidate> list;
  /// Combinations of the axes' values, and how many of them were looked at: of very many some thousands, from all over
  /// the grid.
  std::uint64_t num_combinations = 1;
  std::uint64_t num_looked_at = 0;
};

/// Configurations next to the study's: for each axis of several numbers, values between its neighbours and beyond both
/// ends (half, and one and a half times), crossed with the other axes' values. What cannot be built, was run, or trains
/// for another length than a law over size holds for, is left out.
[[nodiscard]] Candidates candidates_of(const Study& study, const StudyLaw& law);

/// Greedily the trials that shrink the target's interval most per device-hour, by the law's linearised covariance with
/// the noise of the fit. Half widths of a linear model, so a guide and no promise. UsageError for a parameter that the
/// law does not have.
[[nodiscard]] std::vector<Suggestion> suggest(const StudyLaw& law, std::vector<Candidate> candidates,
                                              const Target& target, std::size_t count);

/// A sweep file with these trials, ready to submit. `like` is the trial the candidates were made from.
[[nodiscard]] common::Json sweep_of(const std::vector<Suggestion>& suggestions, const std::string& name,
                                    const std::string& description);

}  // namespace ditscale::analysis
