#pragma once

namespace ditscale::common {

/// Exit codes of `worker train` beside the shared ones, for when its outcome event is missing. Never renumber.
inline constexpr int kDivergedExit = 6;
/// The disk took nothing more: no failure of the trial's own.
inline constexpr int kDiskRefusedExit = 7;

}  // namespace ditscale::common
