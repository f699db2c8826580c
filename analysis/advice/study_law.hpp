#pragma once

#include <set>
#include <string>
#include <vector>

#include "analysis/fits/fit_report.hpp"
#include "analysis/queries/score_points.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::analysis {

/// What advice is about: a score of a study, and the law of it.
struct AdviceOptions {
  std::string y = "fid";
  std::string settings;
  /// forward_macs, parameters or training_flops; empty: forward_macs where all trials see as many images, else
  /// training_flops.
  std::string x;
  /// Only trials that match (see Expression); empty: all.
  std::string where;
  int num_resamples = 1000;
};

/// The preferred form of power and power_floor over a study's final scores.
struct StudyLaw {
  XQuantity x = XQuantity::kForwardMacs;
  std::string y_label;
  bool higher_is_better = false;
  FitReport report;
  /// Trials that are not in it, and why.
  std::vector<LeftOut> left_out;
  /// How many images its runs saw.
  std::set<std::int64_t> images;

  [[nodiscard]] const FormReport& form() const { return preferred_form(report); }
  [[nodiscard]] const Law& law() const { return form().fit->law(); }
  /// What makes it doubtful: of the trials, and of the fit.
  [[nodiscard]] std::vector<std::string> warnings() const;
  /// A law over size is one of trainings of the same length.
  [[nodiscard]] bool holds_for(const sweeps::TrialSpec& spec) const;
};

/// ConfigError when no law can be fitted, with what to run.
[[nodiscard]] StudyLaw study_law(const Study& study, const AdviceOptions& options);

/// A configuration that was not run: another trial's (`like`, an id or its start; empty: the first trial's) with some
/// values set ("model.width=256").
[[nodiscard]] sweeps::TrialSpec configuration_like(const Study& study, const std::string& like,
                                                   const std::vector<std::string>& assignments);

/// Images that the training sees.
[[nodiscard]] std::int64_t images_of(const sweeps::TrialSpec& spec);
[[nodiscard]] double x_of(const sweeps::TrialSpec& spec, XQuantity quantity);

/// Seconds it would take on the devices it asks for.
struct Cost {
  double seconds = 0;
  double device_hours = 0;
  double macs_per_s = 0;
  /// False: nothing was measured on such devices, the rate is assumed.
  bool measured = false;
};
/// Whether what takes most of its seconds, its work or the launches of its kernels, took much of a measured attempt's
/// too: of small models the rate of large ones cannot be told.
[[nodiscard]] bool is_like_measured(const Study& study, const sweeps::TrialSpec& spec);
[[nodiscard]] Cost cost_of(const Study& study, const sweeps::TrialSpec& spec);

}  // namespace ditscale::analysis
