#include "tools/scheduling/baselines.hpp"

#include <algorithm>
#include <queue>
#include <span>
#include <utility>

#include "common/error.hpp"
#include "orchestrator/coordinator/room.hpp"

namespace ditscale::tools {

using orchestrator::AgentReport;
using orchestrator::Devices;
using orchestrator::Job;
using orchestrator::Nodes;

namespace {

struct Held {
  double end_s = 0;
  std::size_t job = 0;
  std::vector<std::pair<int, Devices>> devices;
  bool operator>(const Held& other) const { return end_s > other.end_s; }
};

double in_order_s(std::span<const AgentReport> agents, std::span<const Job> jobs) {
  Nodes nodes;
  for (const AgentReport& agent : agents) DITSCALE_CHECK(nodes.add(agent.agent, agent.host, agent.devices), "twice");
  std::priority_queue<Held, std::vector<Held>, std::greater<>> running;
  double now_s = 0;
  for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
    const auto seats = next < jobs.size() ? find_room(nodes, jobs[next].ask) : std::vector<orchestrator::Seat>();
    if (!seats.empty()) {
      Held held{now_s + jobs[next].seconds, next, {}};
      for (const auto& seat : seats) {
        held.devices.emplace_back(seat.agent, nodes.take(seat.agent, jobs[next].ask, seat.processes, {next, 0, 0, {}}));
      }
      running.push(std::move(held));
      ++next;
      continue;
    }
    DITSCALE_CHECK(!running.empty(), "a job fits nowhere");
    now_s = running.top().end_s;
    for (const auto& [agent, devices] : running.top().devices) nodes.give_back(agent, running.top().job, devices);
    running.pop();
  }
  return now_s;
}

}  // namespace

double first_in_first_out_s(const std::vector<AgentReport>& agents, const std::vector<Job>& jobs) {
  return in_order_s(agents, jobs);
}

double static_chunks_s(const std::vector<AgentReport>& agents, const std::vector<Job>& jobs) {
  const auto gpus_per_node = std::ssize(agents.front().devices.gpus);
  std::int64_t widest = 1;
  for (const Job& job : jobs) widest = std::max(widest, job.ask.total_gpus());
  const auto nodes_per_block = static_cast<std::size_t>((widest + gpus_per_node - 1) / gpus_per_node);
  const std::size_t num_blocks = agents.size() / nodes_per_block;
  double longest_s = 0;
  for (std::size_t block = 0; block < num_blocks; ++block) {
    const std::size_t first = block * jobs.size() / num_blocks;
    const std::size_t last = (block + 1) * jobs.size() / num_blocks;
    longest_s = std::max(longest_s, in_order_s(std::span(agents).subspan(block * nodes_per_block, nodes_per_block),
                                               std::span(jobs).subspan(first, last - first)));
  }
  return longest_s;
}

}  // namespace ditscale::tools
