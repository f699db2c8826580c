#pragma once

#include <string>

namespace ditscale::orchestrator {

/// Seconds between ticks that people count in: 1, 2, 5, 10, 15 or 30 seconds or minutes; 1, 2, 3, 6 or 12 hours; 1, 2
/// or 5 times a power of ten of days, or of seconds below one. The least of which a span of `span_s` > 0 has at most
/// `max_ticks` >= 1 after its start.
[[nodiscard]] double tick_step_s(double span_s, int max_ticks);

/// The time of a tick in the unit of its step: "0", "30 s", "90 min", "6 h", "2 d".
[[nodiscard]] std::string tick_text(double at_s, double step_s);

}  // namespace ditscale::orchestrator
