#include "orchestrator/plan/list_schedule.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <queue>

namespace ditscale::orchestrator {

namespace {

bool covers(const Ask& node, const Ask& ask) { return node.cpus >= ask.cpus && node.gpus >= ask.gpus; }

struct Finish {
  double at_s;
  std::size_t node;
  Ask ask;
  bool operator>(const Finish& other) const { return at_s > other.at_s; }
};

class Simulation {
 public:
  Simulation(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) : free_(nodes), jobs_(jobs) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Ask& ask = jobs[i].ask;
      const bool fits = std::any_of(nodes.begin(), nodes.end(), [&](const Ask& node) { return covers(node, ask); });
      if (fits) queues_[ask].push_back(i);
    }
  }

  double run() {
    for (;;) {
      start_what_fits();
      if (running_.empty()) return now_s_;
      const Finish next = running_.top();
      running_.pop();
      now_s_ = next.at_s;
      free_[next.node].cpus += next.ask.cpus;
      free_[next.node].gpus += next.ask.gpus;
    }
  }

 private:
  /// Jobs that ask the same wait in one queue: when its first finds no room, none of it does.
  void start_what_fits() {
    std::map<std::size_t, Ask> heads;
    for (const auto& [ask, queue] : queues_) heads.emplace(queue.front(), ask);
    while (!heads.empty()) {
      const Ask ask = heads.begin()->second;
      heads.erase(heads.begin());
      if (!start_first(ask)) continue;
      const auto queue = queues_.find(ask);
      if (queue != queues_.end()) heads.emplace(queue->second.front(), ask);
    }
  }

  bool start_first(const Ask& ask) {
    const auto node = std::find_if(free_.begin(), free_.end(), [&](const Ask& free) { return covers(free, ask); });
    if (node == free_.end()) return false;
    node->cpus -= ask.cpus;
    node->gpus -= ask.gpus;
    const auto queue = queues_.find(ask);
    running_.push({now_s_ + jobs_[queue->second.front()].seconds, static_cast<std::size_t>(node - free_.begin()), ask});
    queue->second.pop_front();
    if (queue->second.empty()) queues_.erase(queue);
    return true;
  }

  std::vector<Ask> free_;
  const std::vector<Job>& jobs_;
  std::map<Ask, std::deque<std::size_t>> queues_;
  std::priority_queue<Finish, std::vector<Finish>, std::greater<>> running_;
  double now_s_ = 0;
};

}  // namespace

double makespan_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) { return Simulation(nodes, jobs).run(); }

double makespan_bound_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) {
  double cpus = 0;
  double gpus = 0;
  for (const Ask& node : nodes) {
    cpus += static_cast<double>(node.cpus);
    gpus += static_cast<double>(node.gpus);
  }
  double longest = 0;
  double cpu_seconds = 0;
  double gpu_seconds = 0;
  for (const Job& job : jobs) {
    longest = std::max(longest, job.seconds);
    cpu_seconds += job.seconds * static_cast<double>(job.ask.cpus);
    gpu_seconds += job.seconds * static_cast<double>(job.ask.gpus);
  }
  double bound = longest;
  if (cpus > 0) bound = std::max(bound, cpu_seconds / cpus);
  if (gpus > 0) bound = std::max(bound, gpu_seconds / gpus);
  return bound;
}

}  // namespace ditscale::orchestrator
