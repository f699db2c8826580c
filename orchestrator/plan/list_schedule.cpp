#include "orchestrator/plan/list_schedule.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <queue>
#include <utility>

namespace ditscale::orchestrator {

namespace {

std::int64_t room(const Ask& node, const Ask& ask) {
  const std::int64_t by_cpus = node.cpus / ask.cpus;
  return ask.gpus == 0 ? by_cpus : std::min(by_cpus, node.gpus / ask.gpus);
}

/// Processes on each of some nodes.
using Seats = std::vector<std::pair<std::size_t, std::int64_t>>;

/// Room for the whole ask on the first node that has it, else on those with most; empty when there is too little.
Seats find_seats(const std::vector<Ask>& free, const Ask& ask) {
  Seats seats;
  for (std::size_t node = 0; node < free.size(); ++node) {
    const std::int64_t here = room(free[node], ask);
    if (here >= ask.processes) return {{node, ask.processes}};
    if (here > 0) seats.emplace_back(node, here);
  }
  std::stable_sort(seats.begin(), seats.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::int64_t left = ask.processes;
  for (std::size_t i = 0; i < seats.size() && std::cmp_less(i, ask.max_nodes); ++i) {
    seats[i].second = std::min(seats[i].second, left);
    left -= seats[i].second;
    if (left > 0) continue;
    seats.resize(i + 1);
    return seats;
  }
  return {};
}

struct Finish {
  double at_s;
  Seats seats;
  Ask ask;
  bool operator>(const Finish& other) const { return at_s > other.at_s; }
};

class Simulation {
 public:
  Simulation(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) : free_(nodes), jobs_(jobs) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const Ask& ask = jobs[i].ask;
      if (!find_seats(nodes, ask).empty()) queues_[ask].push_back(i);
    }
  }

  double run() {
    for (;;) {
      start_what_fits();
      if (running_.empty()) return now_s_;
      const Finish next = running_.top();
      running_.pop();
      now_s_ = next.at_s;
      add(next.seats, next.ask, 1);
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
    const Seats seats = find_seats(free_, ask);
    if (seats.empty()) return false;
    add(seats, ask, -1);
    const auto queue = queues_.find(ask);
    running_.push({now_s_ + jobs_[queue->second.front()].seconds, seats, ask});
    queue->second.pop_front();
    if (queue->second.empty()) queues_.erase(queue);
    return true;
  }

  void add(const Seats& seats, const Ask& ask, std::int64_t sign) {
    for (const auto& [node, processes] : seats) {
      free_[node].cpus += sign * processes * ask.cpus;
      free_[node].gpus += sign * processes * ask.gpus;
    }
  }

  std::vector<Ask> free_;
  const std::vector<Job>& jobs_;
  std::map<Ask, std::deque<std::size_t>> queues_;
  std::priority_queue<Finish, std::vector<Finish>, std::greater<>> running_;
  double now_s_ = 0;
};

}  // namespace

double makespan_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) { return Simulation(nodes, jobs).run(); }

}  // namespace ditscale::orchestrator
