#pragma once

namespace ditscale::common {

/// Exit codes of the three programs; scripts rely on them, never renumber.
enum class ExitCode : int {
  kDone = 0,
  kError = 1,
  kUsage = 2,
  kFinishedWithFailures = 3,
  /// Time limit, preemption or interruption: run the same command again.
  kIncomplete = 4,
  kNothingToDo = 5,
};

[[nodiscard]] constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace ditscale::common
