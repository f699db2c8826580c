#pragma once

#include <functional>
#include <list>
#include <vector>

#include <poll.h>

#include "common/clock.hpp"
#include "orchestrator/agent/standstill.hpp"
#include "orchestrator/agent/trainer.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/messages/world.hpp"

namespace ditscale::orchestrator {

/// Owns one node's devices: starts, watches and stops trainers as the coordinator says, and forwards what they tell.
/// Everything it refers to must outlive it. When it ends before them, its trainers are told to save and end, as by the
/// kernel when it is killed.
class Agent {
 public:
  using Tell = std::function<void(Message)>;
  Agent(Tell tell_coordinator, const TrainerSettings& settings, const Timing& timing, const common::Clock& clock)
      : tell_(std::move(tell_coordinator)),
        settings_(settings),
        timing_(timing),
        clock_(clock),
        standstill_(timing.standstill_s) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() {
    for (Trainer& trainer : trainers_) trainer.leave();
  }

  void obey(const Message& order);
  /// Looks after the trainers; true when one has ended. Their pipes are left alone while the coordinator lags behind:
  /// they fill then, the trainers wait, and nothing piles up here.
  bool look(bool coordinator_lags = false);
  /// The coordinator has ended the study.
  [[nodiscard]] bool over() const { return over_; }

  /// How to sleep until the next look.
  struct Rest {
    double longest_s = 0;
    /// Ready when a trainer ends, or speaks not too soon after it was heard.
    std::vector<pollfd> signs;
  };
  [[nodiscard]] Rest rest(double longest_s) const;

 private:
  void on(const StartMessage& order);
  void on(const StopMessage& stop);
  void on(const ShutdownMessage&) { over_ = true; }
  template <typename Other>
  void on(const Other&);
  void read_pipes();
  bool watch_trainers();
  bool forward_lines(Trainer& trainer);

  Tell tell_;
  const TrainerSettings& settings_;
  const Timing& timing_;
  const common::Clock& clock_;
  Standstill standstill_;
  std::list<Trainer> trainers_;
  double next_read_s_ = 0;
  double next_forward_s_ = 0;
  bool over_ = false;
};

/// An agent that is a rank of its own, until the coordinator ends the study. Sleeps whenever there is nothing to do.
void run_agent(World& world, const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
               const common::Clock& clock);

}  // namespace ditscale::orchestrator
