#pragma once

namespace ditscale::common {

/// Time as the decisions see it, so that tests and the simulator can supply their own.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds since the Unix epoch; may jump.
  [[nodiscard]] virtual double unix_s() const = 0;
  /// Seconds since an arbitrary start; never goes back.
  [[nodiscard]] virtual double monotonic_s() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] double unix_s() const override;
  [[nodiscard]] double monotonic_s() const override;
};

}  // namespace ditscale::common
