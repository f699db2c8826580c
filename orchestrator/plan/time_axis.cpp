#include "orchestrator/plan/time_axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace ditscale::orchestrator {

namespace {

constexpr double kMinute_s = 60;
constexpr double kHour_s = 3600;
constexpr double kDay_s = 86'400;

/// The least of 1, 2 and 5 times a power of ten that is not below.
double round_up(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value) return factor * power;
  }
  return 10 * power;
}

}  // namespace

double tick_step_s(double span_s, int max_ticks) {
  constexpr std::array<double, 17> kSteps_s{1,
                                            2,
                                            5,
                                            10,
                                            15,
                                            30,
                                            kMinute_s,
                                            2 * kMinute_s,
                                            5 * kMinute_s,
                                            10 * kMinute_s,
                                            15 * kMinute_s,
                                            30 * kMinute_s,
                                            kHour_s,
                                            2 * kHour_s,
                                            3 * kHour_s,
                                            6 * kHour_s,
                                            12 * kHour_s};
  const double least_s = span_s / max_ticks;
  if (least_s < 0.5) return round_up(least_s);
  for (const double step_s : kSteps_s) {
    if (step_s >= least_s) return step_s;
  }
  return kDay_s * std::max(1.0, round_up(least_s / kDay_s));
}

std::string tick_text(double at_s, double step_s) {
  if (at_s == 0) return "0";
  if (step_s < kMinute_s) return fmt::format("{:.6g} s", at_s);
  if (step_s < kHour_s) return fmt::format("{:.0f} min", at_s / kMinute_s);
  if (step_s < kDay_s) return fmt::format("{:.0f} h", at_s / kHour_s);
  return fmt::format("{:.0f} d", at_s / kDay_s);
}

}  // namespace ditscale::orchestrator
