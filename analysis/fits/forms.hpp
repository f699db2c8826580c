#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ditscale::analysis {

/// Laws that can be fitted. All describe log y.
enum class Form {
  /// y = A x^-alpha.
  kPower,
  /// y = E + A x^-alpha.
  kPowerFloor,
  /// y = A (x/x0)^-alpha1 (1 + (x/x0)^(1/s))^(-s (alpha2 - alpha1)), s = kBreakWidth: one exponent below x0, another
  /// above (Caballero et al. 2023 with one break and its sharpness fixed).
  kBroken,
  /// y = E + R / (1 + (x/x0)^alpha): levels off at both ends.
  kSaturating,
  /// y = E + A x^-alpha + B d^-beta (Hoffmann et al. 2022, approach 3).
  kSurface,
};

/// Width of the break in log x.
inline constexpr double kBreakWidth = 0.25;
/// Exponents of laws with a floor are looked for between these: below, a law is a straight line in log x, which a floor
/// cannot tell from itself; beyond, a step.
inline constexpr double kSmallestExponent = 1e-3;
inline constexpr double kLargestExponent = 10.0;

inline constexpr std::size_t kMostParameters = 5;

struct FormFacts {
  Form form;
  std::string_view name;
  std::string_view formula;
  /// In the order of `Law::values`.
  std::span<const std::string_view> parameters;
  /// Fewest different x: its parameters, and one more where they can bend to anything.
  std::size_t fewest_distinct_x;
  /// Needs a second quantity, d.
  bool two_inputs;
};

[[nodiscard]] std::span<const FormFacts> all_forms();
[[nodiscard]] const FormFacts& facts_of(Form form);
/// "power", "power_floor", "broken", "saturating" or "surface"; anything else is a UsageError.
[[nodiscard]] Form form_from(const std::string& name);

/// A form with its parameters, in the units of the data.
struct Law {
  Form form = Form::kPower;
  std::array<double, kMostParameters> values{};

  [[nodiscard]] double at(double x, double d = 1) const;
  [[nodiscard]] std::size_t size() const { return facts_of(form).parameters.size(); }
  /// The parameter called `name`; 0 for an E that the form does not have.
  [[nodiscard]] double value(std::string_view name) const;
  /// "8.1 + 137 x^-0.36" with `digits` significant digits.
  [[nodiscard]] std::string text(int digits) const;
};

/// Of a surface: where compute goes as x d, the best x grows as compute^(beta / (alpha + beta)), the best d as
/// compute^(alpha / (alpha + beta)).
[[nodiscard]] double size_exponent(const Law& surface);
[[nodiscard]] double data_exponent(const Law& surface);

[[nodiscard]] Law power_law(double factor, double exponent);
[[nodiscard]] Law power_law_with_floor(double floor, double factor, double exponent);

}  // namespace ditscale::analysis
