#pragma once

#include <span>
#include <string>
#include <vector>

namespace ditscale::analysis {

/// One point of a fit. Points of one run (the same training) are resampled together.
struct FitPoint {
  /// Positive.
  double x = 0;
  double y = 0;
  /// What the point is called in reports, and which run it belongs to.
  std::string label;
  std::string run;
  /// Second quantity of a surface: x is the model's size then, and d the data it saw. Positive.
  double d = 1;
  /// All of the configuration but the seed: only points that share it repeat each other. Empty where it is not known.
  std::string configuration = {};
};

[[nodiscard]] std::vector<double> xs_of(std::span<const FitPoint> points);
[[nodiscard]] std::vector<double> ds_of(std::span<const FitPoint> points);
[[nodiscard]] std::vector<double> ys_of(std::span<const FitPoint> points);
/// The runs, in order of first appearance.
[[nodiscard]] std::vector<std::string> runs_of(std::span<const FitPoint> points);
/// For each point the number of its run in `runs_of`.
[[nodiscard]] std::vector<std::size_t> run_numbers(std::span<const FitPoint> points);

}  // namespace ditscale::analysis
