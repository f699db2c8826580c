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

std::string counted(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string Ask::text() const {
  return gpus == 0 ? counted(cpus, "cpu") : counted(cpus, "cpu") + " and " + counted(gpus, "gpu");
}

bool Devices::covers(const Ask& ask) const { return std::ssize(cpus) >= ask.cpus && std::ssize(gpus) >= ask.gpus; }

Devices Devices::take(const Ask& ask) {
  DITSCALE_CHECK(covers(ask), "{} asked of {}", ask.text(), text());
  return {take_first(cpus, ask.cpus), take_first(gpus, ask.gpus)};
}

void Devices::give_back(const Devices& devices) {
  insert_sorted(cpus, devices.cpus);
  insert_sorted(gpus, devices.gpus);
}

std::string Devices::text() const {
  const std::string processors = fmt::format("cpu {}", fmt::join(cpus, ","));
  return gpus.empty() ? processors : fmt::format("gpu {}, {}", fmt::join(gpus, ","), processors);
}

}  // namespace ditscale::orchestrator
