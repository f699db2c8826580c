#pragma once

#include <cstddef>

#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// Whether `a` is to start before `b` where both could. By priority; then trials so long that they may decide when all
/// is over; then gangs that no single node can hold, for whole nodes are easiest found before small trials have spread;
/// then all others; among equals longest first, then in the order of the file.
/// Measured on mixed grids (tools/scheduling/compare_schedules): longest first alone, longest by device-seconds and
/// widest first all end later.
[[nodiscard]] bool goes_before(const State& state, std::size_t a, std::size_t b);

}  // namespace ditscale::orchestrator
