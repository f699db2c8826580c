#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/bootstrap.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {

/// One form of the law with everything that is said about it.
struct FormReport {
  Form form = Form::kPower;
  /// Empty when it could not be fitted; `why_not` says why then.
  std::optional<LawFit> fit;
  std::string why_not;
  Bootstrap bootstrap;
  /// 95 % each, in the order of the law's parameters. By bootstrap all are empty, or none is.
  std::array<std::optional<Interval>, kMostParameters> bootstrap_intervals{};
  std::array<std::optional<Interval>, kMostParameters> profile_intervals{};
  std::vector<Influence> influences;
  std::optional<HeldOut> held_out;
  /// Root mean square of log(predicted ÷ measured) over runs that the fit had not seen; empty when one could not be
  /// left out.
  std::optional<double> leave_one_out_error;

  /// By bootstrap; else by profile where each run is one point, for the profile takes points for independent.
  /// Empty too for a parameter that the law has not.
  [[nodiscard]] std::optional<Interval> interval_of(const std::string& parameter) const;
};

/// Forms of the law on one set of points, beside each other.
struct FitReport {
  std::string x_name;
  /// Empty without a second input.
  std::string d_name;
  std::string y_name;
  std::vector<FitPoint> points;
  std::vector<FormReport> forms;
  /// x (and d) at which predictions were asked for.
  std::vector<std::pair<double, double>> asked;
  /// Standard deviation of log y among points of the same x, d and configuration (other seeds); empty without such.
  std::optional<double> replicate_noise;
  /// Degrees of freedom of it: points that repeat another.
  std::size_t replicate_freedom = 0;
  std::optional<double> huber_delta;
  std::vector<std::string> warnings;
};

struct FitRequest {
  std::vector<Form> forms{Form::kPower, Form::kPowerFloor};
  std::optional<double> huber_delta;
  std::optional<int> num_starts;
  int num_resamples = 1000;
  std::uint64_t seed = 0;
  bool higher_is_better = false;
};

/// Fits the forms. Throws ConfigError when none can be fitted, with the reason of the first.
[[nodiscard]] FitReport make_fit_report(std::vector<FitPoint> points, const FitRequest& request);

/// The form that the small-sample Akaike criterion prefers: the first one, unless a later one's is smaller by more than
/// 2. The first that was fitted when it cannot be said.
[[nodiscard]] const FormReport& preferred_form(const FitReport& report);

/// By how much one run's log score scatters.
struct RunNoise {
  double log_deviation = 0;
  int freedom = 1;
  /// By repeats of the same x (other seeds); else by the residuals of the law.
  bool of_repeats = false;
};
/// The repeats' where there are enough of them. Empty where as many parameters as points leave no residual.
[[nodiscard]] std::optional<RunNoise> run_noise(const FitReport& report, const FormReport& form);

[[nodiscard]] std::string to_text(const FitReport& report);
/// Full precision.
[[nodiscard]] common::Json to_json(const FitReport& report);

}  // namespace ditscale::analysis
