#pragma once

#include <optional>
#include <thread>
#include <vector>

#include "orchestrator/agent/agent.hpp"
#include "orchestrator/messages/mailbox.hpp"

namespace ditscale::orchestrator {

/// One of the two ranks of a run on one machine, a thread each.
class LocalWorld : public World {
 public:
  LocalWorld(int other, Mailbox& in, Mailbox& out) : other_(other), in_(in), out_(out) {}

  [[nodiscard]] int size() const override { return 2; }
  void send(int rank, Message message) override;
  [[nodiscard]] std::optional<Received> receive() override;
  void sleep(double seconds, std::vector<pollfd> others = {}) override;
  [[nodiscard]] bool all_sent() override { return true; }
  [[nodiscard]] std::size_t unsent_bytes() override { return out_.waiting_bytes(); }

 private:
  int other_;
  Mailbox& in_;
  Mailbox& out_;
};

/// The agent of the only machine, in a thread of the coordinator's process. A thread, so that trainers are heard and
/// reaped while the coordinator waits for its database. No MPI is needed.
class LocalAgent {
 public:
  /// What is referred to must outlive it.
  LocalAgent(const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
             const common::Clock& clock);
  LocalAgent(const LocalAgent&) = delete;
  LocalAgent& operator=(const LocalAgent&) = delete;
  /// Ends the agent, and waits for that.
  ~LocalAgent();

  /// The coordinator's; it throws there what ended the agent before its time.
  [[nodiscard]] World& world() { return coordinator_; }

 private:
  Mailbox to_agent_;
  Mailbox to_coordinator_;
  LocalWorld coordinator_;
  std::thread thread_;
};

}  // namespace ditscale::orchestrator
