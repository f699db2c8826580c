#pragma once

#include <filesystem>
#include <optional>

#include "common/clock.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/view/outlook.hpp"

namespace ditscale::orchestrator {

/// The outlook of a study that runs, and the file where other processes read it.
class OutlookNote {
 public:
  /// Takes away what an earlier run left in `file`; an empty path: no file. `clock` must outlive this.
  OutlookNote(std::filesystem::path file, const Timing& timing, const common::Clock& clock);

  /// Looks ahead, and notes what it sees, when the last look is older than `estimate_s`. `now_s` is on the clock of the
  /// state's own times.
  [[nodiscard]] const Outlook& newest(const State& state, double now_s);

 private:
  void write() const;

  std::filesystem::path file_;
  double estimate_s_;
  const common::Clock& clock_;
  double next_look_s_ = 0;
  Outlook outlook_;
};

/// As a run that works now has noted it, with the seconds counted down to `unix_s`. Empty where there is none, where it
/// cannot be read, and where it is so old that the run stands still.
[[nodiscard]] std::optional<Outlook> read_outlook(const std::filesystem::path& file, double unix_s);

}  // namespace ditscale::orchestrator
