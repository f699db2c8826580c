#include "orchestrator/agent/agent.hpp"

#include <algorithm>

#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "common/trainer_exit.hpp"
#include "orchestrator/mpi/backoff.hpp"

namespace ditscale::orchestrator {

namespace {

/// A trainer whose pipe is this full (of the usual 64 KiB) would soon wait for its agent.
constexpr std::size_t kFullPipe_bytes = std::size_t{1} << 15;
/// Some 40,000 events.
constexpr std::size_t kMostUnsent_bytes = std::size_t{1} << 23;

}  // namespace

void Agent::obey(const Message& order) {
  std::visit([this](const auto& each) { on(each); }, order);
}

bool Agent::look(bool coordinator_lags) {
  const double still_s = standstill_.seconds_before(clock_.monotonic_s());
  for (Trainer& trainer : trainers_) trainer.excuse(still_s);
  if (!coordinator_lags) read_pipes();
  return watch_trainers();
}

Agent::Rest Agent::rest(double longest_s) const {
  const double unread_s = next_read_s_ - clock_.monotonic_s();
  Rest rest{unread_s <= 0 ? longest_s : std::min(longest_s, unread_s), {}};
  for (const Trainer& trainer : trainers_) {
    rest.signs.push_back({trainer.end_fd(), POLLIN, 0});
    if (unread_s <= 0) rest.signs.push_back({trainer.event_fd(), POLLIN, 0});
  }
  return rest;
}

void Agent::on(const StartMessage& order) {
  try {
    trainers_.push_back(Trainer::start(order, settings_, clock_.monotonic_s()));
  } catch (const common::SystemError& error) {
    EndedMessage ended;
    ended.trial = order.trial;
    ended.attempt = order.attempt;
    ended.how = error.what();
    if (common::is_disk_refusal(ended.how)) ended.code = common::kDiskRefusedExit;
    tell_(std::move(ended));
  }
}

void Agent::on(const StopMessage& stop) {
  for (Trainer& trainer : trainers_) {
    if (trainer.is(stop.trial, stop.attempt)) trainer.stop(stop.kill);
  }
}

template <typename Other>
void Agent::on(const Other&) {
  throw common::InternalError("an agent was sent a message for the coordinator");
}

/// Passes on what trainers said, when it is time.
void Agent::read_pipes() {
  const double now_s = clock_.monotonic_s();
  if (now_s < next_read_s_) return;
  std::size_t most_bytes = 0;
  for (Trainer& trainer : trainers_) most_bytes = std::max(most_bytes, trainer.read(now_s));
  if (most_bytes > 0 && most_bytes < kFullPipe_bytes) next_read_s_ = now_s + timing_.read_s;
  if (now_s < next_forward_s_) return;
  for (Trainer& trainer : trainers_) {
    if (forward_lines(trainer)) next_forward_s_ = now_s + timing_.forward_s;
  }
}

bool Agent::watch_trainers() {
  bool news = false;
  for (auto trainer = trainers_.begin(); trainer != trainers_.end();) {
    auto ended = trainer->poll(clock_.monotonic_s());
    if (ended) {
      tell_(*std::move(ended));
      news = true;
      trainer = trainers_.erase(trainer);
    } else {
      trainer->watch_silence(clock_.monotonic_s());
      ++trainer;
    }
  }
  return news;
}

bool Agent::forward_lines(Trainer& trainer) {
  LinesMessage message;
  message.lines = trainer.take_lines();
  if (message.lines.empty()) return false;
  message.trial = trainer.trial();
  message.attempt = trainer.attempt();
  tell_(std::move(message));
  return true;
}

void run_agent(World& world, const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
               const common::Clock& clock) {
  const auto tell = [&](Message message) { world.send(kCoordinatorRank, std::move(message)); };
  tell(HelloMessage{report.host, report.devices, report.node, report.gpu_name});
  Agent agent(tell, settings, timing, clock);
  Backoff backoff(timing);
  for (;;) {
    bool news = false;
    while (const auto received = world.receive()) {
      agent.obey(received->message);
      if (agent.over()) return;
      news = true;
    }
    news = agent.look(world.unsent_bytes() > kMostUnsent_bytes) || news;
    Agent::Rest rest = agent.rest(backoff.next_s(news));
    world.sleep(rest.longest_s, std::move(rest.signs));
  }
}

}  // namespace ditscale::orchestrator
