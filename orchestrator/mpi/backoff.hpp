#pragma once

#include <algorithm>

#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

/// How long to sleep between looks for messages: short after news, longer while nothing happens.
class Backoff {
 public:
  explicit Backoff(const Timing& timing) : timing_(timing), sleep_s_(timing.shortest_sleep_s) {}
  /// Seconds to sleep now, given whether the last look brought anything.
  [[nodiscard]] double next_s(bool had_news) {
    sleep_s_ = had_news ? timing_.shortest_sleep_s : std::min(sleep_s_ * timing_.sleep_growth, timing_.longest_sleep_s);
    return sleep_s_;
  }

 private:
  Timing timing_;
  double sleep_s_;
};

}  // namespace ditscale::orchestrator
