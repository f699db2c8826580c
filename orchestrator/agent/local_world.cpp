#include "orchestrator/agent/local_world.hpp"

#include <cmath>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr int kAgentRank = kCoordinatorRank + 1;

}  // namespace

void LocalWorld::send(int rank, Message message) {
  DITSCALE_CHECK(rank == other_, "one machine has no rank {}", rank);
  out_.put(std::move(message));
}

std::optional<Received> LocalWorld::receive() {
  auto message = in_.take();
  if (!message) return std::nullopt;
  return Received{other_, *std::move(message)};
}

void LocalWorld::sleep(double seconds, std::vector<pollfd> others) {
  others.push_back({in_.fd(), POLLIN, 0});
  ::poll(others.data(), others.size(), static_cast<int>(std::ceil(seconds * 1000)));
  in_.hush();
}

LocalAgent::LocalAgent(const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
                       const common::Clock& clock)
    : coordinator_(kAgentRank, to_coordinator_, to_agent_), thread_([this, report, &settings, &timing, &clock] {
        try {
          LocalWorld world(kCoordinatorRank, to_agent_, to_coordinator_);
          run_agent(world, report, settings, timing, clock);
        } catch (...) {
          to_coordinator_.fail(std::current_exception());
        }
      }) {}

LocalAgent::~LocalAgent() {
  to_agent_.put(ShutdownMessage{});
  thread_.join();
}

}  // namespace ditscale::orchestrator
