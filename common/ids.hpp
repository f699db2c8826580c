#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace ditscale::common {

/// Identity of a trial: 16 lower-case hex digits, the hash of its resolved configuration.
class TrialId {
 public:
  static constexpr std::size_t kLength = 16;

  TrialId() = default;
  explicit TrialId(std::string hex) : hex_(std::move(hex)) {}

  [[nodiscard]] const std::string& str() const { return hex_; }
  /// What people see and type: the first eight digits.
  [[nodiscard]] std::string brief() const { return hex_.substr(0, 8); }
  [[nodiscard]] bool starts_with(const std::string& prefix) const { return hex_.rfind(prefix, 0) == 0; }
  auto operator<=>(const TrialId&) const = default;

  /// True when `text` has the form of an id.
  [[nodiscard]] static bool valid(const std::string& text);

 private:
  std::string hex_;
};

/// Number of an attempt at a trial, counted from 1. It fences messages: a newer attempt makes older ones stale.
enum class AttemptNumber : std::int32_t {};

[[nodiscard]] constexpr std::int32_t to_int(AttemptNumber attempt) { return static_cast<std::int32_t>(attempt); }

}  // namespace ditscale::common

template <>
struct std::hash<ditscale::common::TrialId> {
  std::size_t operator()(const ditscale::common::TrialId& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
