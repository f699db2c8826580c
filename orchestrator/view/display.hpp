#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "common/clock.hpp"
#include "orchestrator/coordinator/actions.hpp"
#include "orchestrator/coordinator/state.hpp"

namespace ditscale::orchestrator {

/// What a running study shows. Two kinds: redrawn in place on a terminal, plain lines in a file or pipe.
class Display {
 public:
  virtual ~Display() = default;
  /// News worth a line of its own.
  virtual void notice(const std::string& text) = 0;
  /// Trials that changed their state.
  virtual void changed(const State& state, const Actions& actions) = 0;
  /// Called often; draws when it is time. `now_s` is on the clock of the state's own times.
  virtual void update(const State& state, double now_s) = 0;
  /// Takes the live view away, so that the results follow cleanly.
  virtual void close() = 0;
};

/// `live_columns` is the terminal's width, or 0 for plain lines. What is expected is noted in `outlook_file` too, see
/// OutlookNote. `out` and `clock` must outlive the display.
[[nodiscard]] std::unique_ptr<Display> make_display(std::FILE* out, const std::string& study, std::size_t live_columns,
                                                    const Timing& timing, const common::Clock& clock,
                                                    const std::filesystem::path& outlook_file = {});

/// "a1b2c3d4 model.width=64: running (attempt 2)"; one line per change of state.
[[nodiscard]] std::string change_text(const State& state, const SetTrialState& change);

}  // namespace ditscale::orchestrator
