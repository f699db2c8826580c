#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/bootstrap.hpp"
#include "analysis/fits/power_law.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {

/// One form of the law with everything that is said about it.
struct FormReport {
  /// Empty when it could not be fitted; `why_not` says why then.
  std::optional<PowerLawFit> fit;
  std::string why_not;
  Bootstrap bootstrap;
  std::vector<Influence> influences;
  std::optional<double> largest_x_left_out;
};

/// Both forms of the law on one set of points.
struct FitReport {
  std::string x_name;
  std::string y_name;
  std::vector<FitPoint> points;
  FormReport without_floor;
  FormReport with_floor;
  /// x at which a prediction was asked for.
  std::vector<double> asked_x;
};

struct FitRequest {
  std::optional<double> huber_delta;
  int num_resamples = 400;
  std::uint64_t seed = 0;
};

/// Fits both forms. Throws ConfigError when not even the one without floor can be fitted.
[[nodiscard]] FitReport make_fit_report(std::vector<FitPoint> points, const FitRequest& request);

/// The form that the small-sample Akaike criterion prefers: the one with floor when it is smaller by more than 2; the
/// one without when it is not or cannot be said.
[[nodiscard]] bool prefers_floor(const FitReport& report);

[[nodiscard]] std::string to_text(const FitReport& report);
/// Full precision.
[[nodiscard]] common::Json to_json(const FitReport& report);

}  // namespace ditscale::analysis
