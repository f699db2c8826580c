#pragma once

#include <limits>
#include <utility>

namespace ditscale::orchestrator {

/// Notices by the gap between two looks that this process stood still: its job was suspended.
class Standstill {
 public:
  /// `shortest_s`: a shorter gap may be work.
  explicit Standstill(double shortest_s) : shortest_s_(shortest_s) {}
  /// Seconds for which it stood still before this look; 0 when it did not.
  [[nodiscard]] double seconds_before(double now_s) {
    const double gap_s = now_s - std::exchange(last_look_s_, now_s);
    return gap_s > shortest_s_ ? gap_s : 0.0;
  }

 private:
  double shortest_s_;
  double last_look_s_ = std::numeric_limits<double>::infinity();
};

}  // namespace ditscale::orchestrator
