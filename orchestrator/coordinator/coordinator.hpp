#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/exit_code.hpp"
#include "orchestrator/coordinator/reactor.hpp"
#include "orchestrator/coordinator/stop_source.hpp"
#include "orchestrator/coordinator/study.hpp"
#include "orchestrator/messages/world.hpp"
#include "orchestrator/view/display.hpp"

namespace ditscale::orchestrator {

/// The shell around the decisions: turns messages, files and signals into events, and actions into records and
/// messages. Everything it refers to must outlive it.
class Coordinator {
 public:
  struct Parts {
    World& world;
    Study& study;
    State& state;
    Display& display;
    StopSource& stop_source;
    const common::Clock& clock;
    Timing timing;
    /// It may have lost nodes, and the next one has all again.
    bool in_allocation = false;
  };
  explicit Coordinator(const Parts& parts);

  /// Seconds since the Unix epoch that never go back: the time of all decisions.
  [[nodiscard]] double now_s() const;
  /// Runs the study to its end. Throws ConfigError when a cell fits on no agent (nothing was started then; in an
  /// allocation what fits is run), and SystemError after an orderly stop when the database or a folder could not be
  /// written, or a trainer's events not be read.
  [[nodiscard]] common::ExitCode run();

 private:
  /// Waits for every agent's first message. False when a stop was wished meanwhile.
  [[nodiscard]] bool await_agents();
  [[nodiscard]] bool look();
  void sleep(double seconds);
  /// True when what is pending must be applied now.
  [[nodiscard]] bool is_urgent() const;
  void dispatch(ClusterEvent event);
  void on(const LinesMessage& lines);
  /// True when a trainer's last word, its outcome, is among the lines.
  bool hear(const common::TrialId& trial, common::AttemptNumber attempt, std::string_view lines);
  void on(const EndedMessage& ended);
  template <typename Other>
  void on(const Other& message);
  void ingest_previous(const common::TrialId& trial, common::AttemptNumber attempt);
  void read_rest(const EndedMessage& ended);
  void learn_speeds();
  void learn_speeds_of(const std::set<Ask>& asks);
  void learn_speed(const Ask& ask);
  void apply();
  void record();
  void perform(const StartTrainer& start);
  void give_up(const std::string& trouble);

  Parts parts_;
  double unix_offset_s_;
  /// Decided, but not applied yet.
  Actions pending_;
  /// Attempts that have ended, and how many must have before speeds are learnt anew.
  std::int64_t num_ended_ = 0;
  std::int64_t next_lesson_ = 0;
  /// As the agents report it.
  std::string gpu_name_;
  /// Events alone are recorded from then on.
  double next_record_s_ = 0;
  std::vector<ClusterEvent> afterwards_;
  /// Why nothing is recorded any more.
  std::optional<std::string> trouble_;
  std::optional<Finish> finish_;
};

/// Tells every agent to end, and waits until they were told.
void shut_down_agents(World& world, const Timing& timing);

}  // namespace ditscale::orchestrator
