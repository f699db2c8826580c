#include "orchestrator/coordinator/ready_queue.hpp"

#include <cmath>

#include "common/error.hpp"

namespace ditscale::orchestrator {

void ReadyQueue::insert(const TrialKind& kind, Key key, double latest_start_s) {
  queues_[kind].insert(key);
  if (std::isfinite(latest_start_s)) latest_starts_.emplace(latest_start_s, key.second);
}

void ReadyQueue::erase(const TrialKind& kind, Key key, double latest_start_s) {
  const auto queue = queues_.find(kind);
  DITSCALE_CHECK(queue != queues_.end() && queue->second.erase(key) == 1, "trial {} was not in the queue", key.second);
  if (queue->second.empty()) queues_.erase(queue);
  latest_starts_.erase({latest_start_s, key.second});
}

bool ReadyQueue::contains(const TrialKind& kind, Key key) const {
  const auto queue = queues_.find(kind);
  return queue != queues_.end() && queue->second.count(key) != 0;
}

std::optional<std::size_t> ReadyQueue::first(const TrialKind& kind, double longest_s) const {
  const auto queue = queues_.find(kind);
  if (queue == queues_.end()) return std::nullopt;
  const auto found = queue->second.lower_bound({-longest_s, 0});
  return found == queue->second.end() ? std::nullopt : std::optional(found->second);
}

std::size_t ReadyQueue::size() const {
  std::size_t size = 0;
  for (const auto& [unused, queue] : queues_) size += queue.size();
  return size;
}

std::optional<std::size_t> ReadyQueue::too_late(double now_s) const {
  if (latest_starts_.empty() || latest_starts_.begin()->first >= now_s) return std::nullopt;
  return latest_starts_.begin()->second;
}

}  // namespace ditscale::orchestrator
