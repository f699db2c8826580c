#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "analysis/figures/figure.hpp"

namespace ditscale::analysis {

namespace {

constexpr double kMargin = 0.08;
/// Marks within a decade, from sparse to dense.
const std::array<std::vector<double>, 5> kMarks{{{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5}, {1, 1.5, 2, 3, 4, 5, 6, 8}}};
constexpr std::size_t kFewestTicks = 4;
constexpr std::size_t kMostTicks = 9;
/// Values closer together than this part of themselves are one: there are no round numbers between them.
constexpr double kOneValue = 1e-12;
/// Beyond this a range overflows.
constexpr double kLargestValue = 1e300;

std::vector<double> log_ticks(double low, double high, const std::vector<double>& marks, int decades_apart) {
  std::vector<double> ticks;
  for (int decade = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, decade) <= high; ++decade) {
    if (decade % decades_apart != 0) continue;
    for (const double mark : marks) {
      const double tick = mark * std::pow(10.0, decade);
      if (tick >= low && tick <= high) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::vector<double> round_log_ticks(double low, double high) {
  for (const int decades_apart : {100, 50, 20, 10, 9, 8, 7, 6, 5, 4, 3, 2}) {
    const auto ticks = log_ticks(low, high, {1}, decades_apart);
    if (ticks.size() > kMostTicks / 2) return ticks;
  }
  for (const auto& marks : kMarks) {
    const auto ticks = log_ticks(low, high, marks, 1);
    if (ticks.size() >= kFewestTicks) return ticks;
  }
  return {};
}

/// Steps of 1, 2 or 5 times a power of ten.
std::vector<double> round_linear_ticks(double low, double high) {
  double step = std::pow(10.0, std::floor(std::log10((high - low) / 2)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if ((high - low) / (step * factor) <= kMostTicks - 2) {
      step *= factor;
      break;
    }
  }
  const double first = std::ceil(low / step);
  std::vector<double> ticks;
  for (std::size_t n = 0; n <= kMostTicks; ++n) {
    const double tick = (first + static_cast<double>(n)) * step;
    if (tick <= high * (1 + 1e-12)) ticks.push_back(tick);
  }
  return ticks;
}

std::string superscript(int number) {
  constexpr std::array<const char*, 10> kDigits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = number < 0 ? "⁻" : "";
  for (const char c : fmt::format("{}", std::abs(number))) text += kDigits[static_cast<std::size_t>(c - '0')];
  return text;
}

}  // namespace

bool Figure::empty() const {
  return images.empty() && std::all_of(series.begin(), series.end(), [](const Series& s) { return s.points.empty(); });
}

double Scale::place(double value) const {
  if (logarithmic) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
  return (value - low) / (high - low);
}

Scale scale_for(const std::vector<double>& values, bool logarithmic) {
  const auto [first, last] = std::minmax_element(values.begin(), values.end());
  const double least = logarithmic ? 1 / kLargestValue : -kLargestValue;
  const double smallest = std::clamp(*first, least, kLargestValue);
  double largest = std::clamp(*last, least, kLargestValue);
  if (largest - smallest <= kOneValue * std::max(std::abs(smallest), std::abs(largest))) largest = smallest;
  Scale scale;
  scale.logarithmic = logarithmic;
  if (logarithmic) {
    const double room = largest > smallest ? std::exp(kMargin * (std::log(largest) - std::log(smallest))) : 3.0;
    scale.low = std::max(smallest / room, std::numeric_limits<double>::min());
    scale.high = std::min(largest * room, std::numeric_limits<double>::max());
    scale.ticks = round_log_ticks(scale.low, scale.high);
  }
  if (scale.ticks.size() < 2) {
    const double span = largest > smallest ? largest - smallest : std::max(std::abs(largest), 1e-9);
    const bool near_zero = smallest >= 0 && smallest < 0.5 * largest;
    if (!logarithmic) {
      scale.low = near_zero || smallest == largest ? std::min(0.0, smallest) : smallest - kMargin * span;
      scale.high = largest + kMargin * std::max(span, largest - scale.low);
    }
    scale.ticks = round_linear_ticks(scale.low, scale.high);
  }
  return scale;
}

std::string tick_text(double value, bool ascii) {
  const double size = std::abs(value);
  if (size == 0 || (size >= 1e-3 && size < 1e5)) return fmt::format("{:.6g}", value);
  auto exponent = static_cast<int>(std::floor(std::log10(size)));
  double mantissa = value / std::pow(10.0, exponent);
  if (std::abs(mantissa) > 9.9999999) {  // the logarithm was rounded down
    mantissa /= 10;
    ++exponent;
  }
  if (ascii) return fmt::format("{:.3g}e{}", mantissa, exponent);
  const std::string power = "10" + superscript(exponent);
  return std::abs(mantissa - 1) < 1e-9 ? power : fmt::format("{:.3g}×{}", mantissa, power);
}

}  // namespace ditscale::analysis
