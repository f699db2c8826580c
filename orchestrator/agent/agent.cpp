#include "orchestrator/agent/agent.hpp"

#include <cmath>
#include <list>

#include <poll.h>

#include "common/error.hpp"
#include "orchestrator/mpi/backoff.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr int kCoordinatorRank = 0;

class Agent {
 public:
  Agent(World& world, const TrainerSettings& settings, const common::Clock& clock)
      : world_(world), settings_(settings), clock_(clock) {}

  /// True when anything came or ended.
  bool look() {
    bool news = false;
    while (!over_) {
      const auto received = world_.receive();
      if (!received) break;
      std::visit([this](const auto& each) { on(each); }, decode(received->bytes));
      news = true;
    }
    return forward() || news;
  }

  /// Sleeps until a trainer speaks or ends, at most `sleep_s`.
  void sleep(double sleep_s) const {
    std::vector<pollfd> pipes;
    for (const Trainer& trainer : trainers_) pipes.push_back({trainer.event_fd(), POLLIN, 0});
    ::poll(pipes.data(), pipes.size(), static_cast<int>(std::ceil(sleep_s * 1000)));
  }

  [[nodiscard]] bool over() const { return over_; }

 private:
  void on(const StartMessage& order) {
    try {
      trainers_.push_back(Trainer::start(order, settings_, clock_.monotonic_s()));
    } catch (const common::SystemError& error) {
      EndedMessage ended;
      ended.trial = order.trial;
      ended.attempt = order.attempt;
      ended.how = error.what();
      send(ended);
    }
  }

  void on(const StopMessage& stop) {
    for (Trainer& trainer : trainers_) {
      if (trainer.is(stop.trial, stop.attempt)) trainer.stop(stop.kill);
    }
  }

  void on(const ShutdownMessage&) { over_ = true; }

  template <typename Other>
  void on(const Other&) {
    throw common::InternalError("an agent was sent a message for the coordinator");
  }

  bool forward() {
    bool news = false;
    for (auto trainer = trainers_.begin(); trainer != trainers_.end();) {
      const auto ended = trainer->poll();
      news = forward_lines(*trainer) || news;
      trainer->watch_silence(clock_.monotonic_s());
      if (ended) send(*ended);
      news = news || ended.has_value();
      trainer = ended ? trainers_.erase(trainer) : std::next(trainer);
    }
    return news;
  }

  bool forward_lines(Trainer& trainer) {
    LinesMessage message;
    message.lines = trainer.read_lines(clock_.monotonic_s());
    if (message.lines.empty()) return false;
    message.trial = trainer.trial();
    message.attempt = trainer.attempt();
    send(message);
    return true;
  }

  void send(const Message& message) { world_.send(kCoordinatorRank, encode(message)); }

  World& world_;
  const TrainerSettings& settings_;
  const common::Clock& clock_;
  std::list<Trainer> trainers_;
  bool over_ = false;
};

}  // namespace

void run_agent(World& world, const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
               const common::Clock& clock) {
  world.send(kCoordinatorRank, encode(HelloMessage{report.host, report.devices}));
  Agent agent(world, settings, clock);
  Backoff backoff(timing);
  for (;;) {
    const bool news = agent.look();
    if (agent.over()) return;
    agent.sleep(backoff.next_s(news));
  }
}

}  // namespace ditscale::orchestrator
