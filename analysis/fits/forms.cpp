#include "analysis/fits/forms.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/tables/cell_text.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace {

constexpr std::array<std::string_view, 2> kPowerNames{"A", "alpha"};
constexpr std::array<std::string_view, 3> kFloorNames{"E", "A", "alpha"};
constexpr std::array<std::string_view, 4> kBrokenNames{"A", "alpha1", "alpha2", "x0"};
constexpr std::array<std::string_view, 4> kSaturatingNames{"E", "R", "alpha", "x0"};
constexpr std::array<std::string_view, 5> kSurfaceNames{"E", "A", "alpha", "B", "beta"};

constexpr std::array<FormFacts, 5> kForms{{
    {Form::kPower, "power", "y = A x^-alpha", kPowerNames, 3, false},
    {Form::kPowerFloor, "power_floor", "y = E + A x^-alpha", kFloorNames, 4, false},
    {Form::kBroken, "broken", "y = A (x/x0)^-alpha1 (1 + (x/x0)^(1/s))^(-s (alpha2 - alpha1)), s = 0.25", kBrokenNames,
     6, false},
    {Form::kSaturating, "saturating", "y = E + R / (1 + (x/x0)^alpha)", kSaturatingNames, 6, false},
    {Form::kSurface, "surface", "y = E + A x^-alpha + B d^-beta", kSurfaceNames, 3, true},
}};

}  // namespace

std::span<const FormFacts> all_forms() { return kForms; }

const FormFacts& facts_of(Form form) { return kForms[static_cast<std::size_t>(form)]; }

Form form_from(const std::string& name) {
  std::vector<std::string_view> names;
  for (const FormFacts& facts : kForms) {
    if (facts.name == name) return facts.form;
    names.push_back(facts.name);
  }
  throw common::UsageError(fmt::format("--form {}: not known; allowed: {}", name, fmt::join(names, ", ")));
}

double Law::at(double x, double d) const {
  const auto& p = values;
  switch (form) {
    case Form::kPower:
      return p[0] * std::pow(x, -p[1]);
    case Form::kPowerFloor:
      return p[0] + p[1] * std::pow(x, -p[2]);
    case Form::kBroken: {
      const double t = std::log(x / p[3]);
      const double bent = t > 0 ? t + kBreakWidth * std::log1p(std::exp(-t / kBreakWidth))
                                : kBreakWidth * std::log1p(std::exp(t / kBreakWidth));
      return p[0] * std::exp(-p[1] * t - (p[2] - p[1]) * bent);
    }
    case Form::kSaturating:
      return p[0] + p[1] / (1 + std::pow(x / p[3], p[2]));
    case Form::kSurface:
      break;
  }
  return p[0] + p[1] * std::pow(x, -p[2]) + p[3] * std::pow(d, -p[4]);
}

double Law::value(std::string_view name) const {
  const auto names = facts_of(form).parameters;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end() && name == "E") return 0;
  DITSCALE_CHECK(found != names.end(), "{} has no parameter {}", facts_of(form).name, name);
  return values[static_cast<std::size_t>(found - names.begin())];
}

std::string Law::text(int digits) const {
  const auto n = [&](double value) { return value == 0 ? "0" : significant(value, digits); };
  const auto& p = values;
  switch (form) {
    case Form::kPower:
      return fmt::format("{} x^{}", n(p[0]), n(-p[1]));
    case Form::kPowerFloor:
      return fmt::format("{} + {} x^{}", n(p[0]), n(p[1]), n(-p[2]));
    case Form::kBroken:
      return fmt::format("{} (x/{})^{} below the break, ^{} above", n(p[0]), n(p[3]), n(-p[1]), n(-p[2]));
    case Form::kSaturating:
      return fmt::format("{} + {} / (1 + (x/{})^{})", n(p[0]), n(p[1]), n(p[3]), n(p[2]));
    case Form::kSurface:
      break;
  }
  return fmt::format("{} + {} x^{} + {} d^{}", n(p[0]), n(p[1]), n(-p[2]), n(p[3]), n(-p[4]));
}

double size_exponent(const Law& surface) {
  return surface.value("beta") / (surface.value("alpha") + surface.value("beta"));
}

double data_exponent(const Law& surface) { return 1 - size_exponent(surface); }

Law power_law(double factor, double exponent) { return {Form::kPower, {factor, exponent}}; }

Law power_law_with_floor(double floor, double factor, double exponent) {
  return {Form::kPowerFloor, {floor, factor, exponent}};
}

}  // namespace ditscale::analysis
