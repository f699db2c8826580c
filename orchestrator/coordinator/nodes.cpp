#include "orchestrator/coordinator/nodes.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace ditscale::orchestrator {

std::int64_t DeviceCount::room_for(const Ask& ask) const {
  const std::int64_t by_cpus = cpus / ask.cpus;
  return ask.gpus == 0 ? by_cpus : std::min(by_cpus, gpus / ask.gpus);
}

void DeviceCount::add(const Ask& ask, std::int64_t processes) {
  gpus += processes * ask.gpus;
  cpus += processes * ask.cpus;
}

DeviceCount count_of(const Devices& devices) { return {std::ssize(devices.gpus), std::ssize(devices.cpus)}; }

double Tenant::expected_end_s(double now_s) const {
  constexpr double kOverrunShare = 0.1;
  return end_s > now_s ? end_s : now_s + kOverrunShare * (now_s - started_s);
}

DeviceCount Node::free_at(double at_s, double now_s) const {
  DeviceCount count = count_of(free);
  if (rest_end_s <= at_s) {
    const DeviceCount rested = count_of(at_rest);
    count.gpus += rested.gpus;
    count.cpus += rested.cpus;
  }
  for (const Tenant& tenant : tenants) {
    if (tenant.expected_end_s(now_s) > at_s) continue;
    count.gpus += tenant.devices.gpus;
    count.cpus += tenant.devices.cpus;
  }
  return count;
}

double Node::room_at_s(const Ask& ask, std::int64_t processes, double now_s) const {
  if (free.room_for(ask) >= processes) return now_s;
  double earliest_s = std::numeric_limits<double>::infinity();
  const auto look_at = [&](double at_s) {
    if (at_s < earliest_s && free_at(at_s, now_s).room_for(ask) >= processes) earliest_s = at_s;
  };
  if (at_rest != Devices()) look_at(rest_end_s);
  for (const Tenant& tenant : tenants) look_at(tenant.expected_end_s(now_s));
  return earliest_s;
}

bool Nodes::add(int agent, const std::string& host, const Devices& devices) {
  Node node;
  node.host = host;
  node.all = node.free = devices;
  if (!nodes_.emplace(agent, std::move(node)).second) return false;
  index(agent);
  const DeviceCount count = count_of(devices);
  ++sizes_[count];
  total_.gpus += count.gpus;
  total_.cpus += count.cpus;
  return true;
}

void Nodes::remove(int agent) {
  if (!contains(agent)) return;
  unindex(agent);
  rests_.erase({at(agent).rest_end_s, agent});
  const DeviceCount gone = count_of(at(agent).all);
  total_.gpus -= gone.gpus;
  total_.cpus -= gone.cpus;
  if (--sizes_[gone] == 0) sizes_.erase(gone);
  nodes_.erase(agent);
}

bool Nodes::one_can_hold(const Ask& ask) const {
  return std::any_of(sizes_.begin(), sizes_.end(),
                     [&](const auto& size) { return size.first.room_for(ask) >= ask.processes; });
}

Devices Nodes::take(int agent, const Ask& ask, std::int64_t processes, Tenant tenant) {
  Node& node = nodes_.at(agent);
  unindex(agent);
  Devices taken = node.free.take(ask, processes);
  index(agent);
  tenant.devices = count_of(taken);
  node.tenants.push_back(tenant);
  return taken;
}

void Nodes::give_back(int agent, std::size_t position, const Devices& devices) {
  Node& node = nodes_.at(agent);
  unindex(agent);
  node.free.give_back(devices);
  index(agent);
  std::erase_if(node.tenants, [&](const Tenant& tenant) { return tenant.position == position; });
}

void Nodes::rest(int agent, double end_s) {
  Node& node = nodes_.at(agent);
  unindex(agent);
  node.at_rest.give_back(std::exchange(node.free, {}));
  index(agent);
  rests_.erase({node.rest_end_s, agent});
  node.rest_end_s = end_s;
  rests_.emplace(end_s, agent);
}

void Nodes::is_well(int agent) {
  nodes_.at(agent).num_false_starts = 0;
  if (rests_.count({at(agent).rest_end_s, agent}) != 0) wake(agent);
}

void Nodes::wake_rested(double now_s) {
  while (!rests_.empty() && rests_.begin()->first <= now_s) wake(rests_.begin()->second);
}

void Nodes::wake(int agent) {
  Node& node = nodes_.at(agent);
  rests_.erase({node.rest_end_s, agent});
  unindex(agent);
  node.free.give_back(std::exchange(node.at_rest, {}));
  index(agent);
}

double Nodes::next_rest_end_s() const {
  return rests_.empty() ? std::numeric_limits<double>::infinity() : rests_.begin()->first;
}

bool Nodes::another_can_hold(const Ask& ask, int agent) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const auto& [other, node] = entry;
    const bool rests = rests_.count({node.rest_end_s, other}) != 0;
    return other != agent && !rests && node.all.room_for(ask) >= ask.processes;
  });
}

void Nodes::rename_tenants(const std::map<std::size_t, std::size_t>& places,
                           const std::map<std::size_t, double>& ends_s) {
  for (auto& [unused, node] : nodes_) {
    for (Tenant& tenant : node.tenants) {
      tenant.position = places.at(tenant.position);
      tenant.end_s = ends_s.at(tenant.position);
    }
  }
}

void Nodes::index(int agent) { by_free_[count_of(nodes_.at(agent).free)].insert(agent); }

void Nodes::unindex(int agent) {
  const auto peers = by_free_.find(count_of(nodes_.at(agent).free));
  peers->second.erase(agent);
  if (peers->second.empty()) by_free_.erase(peers);
}

}  // namespace ditscale::orchestrator
