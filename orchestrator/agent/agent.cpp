#include "orchestrator/agent/agent.hpp"

#include <algorithm>
#include <list>

#include "common/error.hpp"
#include "orchestrator/agent/standstill.hpp"
#include "orchestrator/mpi/backoff.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr int kCoordinatorRank = 0;
/// A trainer whose pipe is this full (of the usual 64 KiB) would soon wait for its agent.
constexpr std::size_t kFullPipe_bytes = std::size_t{1} << 15;
/// Some 40,000 events.
constexpr std::size_t kMostUnsent_bytes = std::size_t{1} << 23;

class Agent {
 public:
  Agent(World& world, const TrainerSettings& settings, const Timing& timing, const common::Clock& clock)
      : world_(world), settings_(settings), timing_(timing), clock_(clock), standstill_(timing.standstill_s) {}

  /// True when anything came or ended.
  bool look() {
    bool news = false;
    const double still_s = standstill_.seconds_before(clock_.monotonic_s());
    for (Trainer& trainer : trainers_) trainer.excuse(still_s);
    while (!over_) {
      const auto received = world_.receive();
      if (!received) break;
      std::visit([this](const auto& each) { on(each); }, decode(received->bytes));
      news = true;
    }
    read_pipes();
    return watch_trainers() || news;
  }

  /// Sleeps until the coordinator rings, a trainer ends or speaks (not too soon after it was heard), or `sleep_s` have
  /// passed.
  void sleep(double sleep_s) const {
    const double unread_s = next_read_s_ - clock_.monotonic_s();
    std::vector<pollfd> ready;
    for (const Trainer& trainer : trainers_) {
      ready.push_back({trainer.end_fd(), POLLIN, 0});
      if (unread_s <= 0) ready.push_back({trainer.event_fd(), POLLIN, 0});
    }
    world_.sleep(unread_s <= 0 ? sleep_s : std::min(sleep_s, unread_s), std::move(ready));
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

  /// Passes on what trainers said, when it is time. A coordinator that lags behind makes the pipes fill: its trainers
  /// wait then, and nothing piles up here.
  void read_pipes() {
    const double now_s = clock_.monotonic_s();
    if (now_s < next_read_s_ || world_.unsent_bytes() > kMostUnsent_bytes) return;
    std::size_t most_bytes = 0;
    for (Trainer& trainer : trainers_) most_bytes = std::max(most_bytes, trainer.read(now_s));
    if (most_bytes > 0 && most_bytes < kFullPipe_bytes) next_read_s_ = now_s + timing_.read_s;
    if (now_s < next_forward_s_) return;
    for (Trainer& trainer : trainers_) {
      if (forward_lines(trainer)) next_forward_s_ = now_s + timing_.forward_s;
    }
  }

  bool watch_trainers() {
    bool news = false;
    for (auto trainer = trainers_.begin(); trainer != trainers_.end();) {
      const auto ended = trainer->poll(clock_.monotonic_s());
      if (ended) {
        send(*ended);
        news = true;
      } else {
        trainer->watch_silence(clock_.monotonic_s());
      }
      trainer = ended ? trainers_.erase(trainer) : std::next(trainer);
    }
    return news;
  }

  bool forward_lines(Trainer& trainer) {
    LinesMessage message;
    message.lines = trainer.take_lines();
    if (message.lines.empty()) return false;
    message.trial = trainer.trial();
    message.attempt = trainer.attempt();
    send(message);
    return true;
  }

  void send(const Message& message) { world_.send(kCoordinatorRank, encode(message)); }

  World& world_;
  const TrainerSettings& settings_;
  const Timing& timing_;
  const common::Clock& clock_;
  Standstill standstill_;
  std::list<Trainer> trainers_;
  double next_read_s_ = 0;
  double next_forward_s_ = 0;
  bool over_ = false;
};

}  // namespace

void run_agent(World& world, const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
               const common::Clock& clock) {
  world.send(kCoordinatorRank, encode(HelloMessage{report.host, report.devices, report.node}));
  Agent agent(world, settings, timing, clock);
  Backoff backoff(timing);
  for (;;) {
    const bool news = agent.look();
    if (agent.over()) return;
    agent.sleep(backoff.next_s(news));
  }
}

}  // namespace ditscale::orchestrator
