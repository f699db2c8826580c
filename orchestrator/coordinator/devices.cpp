#include "orchestrator/coordinator/devices.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

template <typename Device>
std::vector<Device> take_first(std::vector<Device>& from, std::int64_t count) {
  const auto end = from.begin() + count;
  std::vector<Device> taken(from.begin(), end);
  from.erase(from.begin(), end);
  return taken;
}

template <typename Device>
void insert_sorted(std::vector<Device>& into, const std::vector<Device>& devices) {
  for (const Device& device : devices) {
    const auto place = std::lower_bound(into.begin(), into.end(), device);
    DITSCALE_CHECK(place == into.end() || *place != device, "device {} was given back twice", device);
    into.insert(place, device);
  }
}

}  // namespace

std::int64_t Devices::room_for(const Ask& ask) const {
  const std::int64_t by_cpus = std::ssize(cpus) / ask.cpus;
  return ask.gpus == 0 ? by_cpus : std::min(by_cpus, std::ssize(gpus) / ask.gpus);
}

Devices Devices::take(const Ask& ask, std::int64_t processes) {
  DITSCALE_CHECK(room_for(ask) >= processes, "{} of {} asked of {}", processes, ask.text(), text());
  return {take_first(cpus, processes * ask.cpus), take_first(gpus, processes * ask.gpus)};
}

void Devices::give_back(const Devices& devices) {
  insert_sorted(cpus, devices.cpus);
  insert_sorted(gpus, devices.gpus);
}

std::string Devices::text() const {
  const std::string processors = fmt::format("cpu {}", fmt::join(cpus, ","));
  return gpus.empty() ? processors : fmt::format("gpu {}, {}", fmt::join(gpus, ","), processors);
}

std::int64_t num_processes(const Shares& shares) {
  std::int64_t sum = 0;
  for (const Share& share : shares) sum += share.processes;
  return sum;
}

std::string devices_text(const Shares& shares) {
  if (shares.size() == 1) return shares.front().devices.text();
  std::vector<std::string> parts;
  for (const Share& share : shares) parts.push_back(share.host + ": " + share.devices.text());
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string hosts_text(const Shares& shares) {
  std::vector<std::string> hosts;
  for (const Share& share : shares) hosts.push_back(share.host);
  return fmt::format("{}", fmt::join(hosts, ","));
}

}  // namespace ditscale::orchestrator
