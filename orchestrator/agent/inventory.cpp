#include "orchestrator/agent/inventory.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <sched.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/text.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;
using common::count_in;
using common::split;
using common::UsageError;

namespace {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) throw common::errno_error("sched_getaffinity", "this process");
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> chosen_cpus(const std::string& list) {
  const std::vector<int> allowed = allowed_cpus();
  if (list.empty()) return allowed;
  std::vector<int> chosen = parse_cpu_list(list);
  for (const int cpu : chosen) {
    if (!std::binary_search(allowed.begin(), allowed.end(), cpu))
      throw UsageError(fmt::format("--slots-cpus: this process may not run on processor {}", cpu));
  }
  return chosen;
}

template <typename Device>
void limit(std::vector<Device>& devices, const std::optional<std::int64_t>& count, const char* option) {
  if (!count) return;
  if (*count > std::ssize(devices))
    throw UsageError(fmt::format("{} {}: only {} are here", option, *count, devices.size()));
  devices.resize(static_cast<std::size_t>(*count));
}

/// "Device Minor: \t 0" in the driver's file: which /dev/nvidia<minor> belongs to the GPU.
std::optional<int> minor_number(const fs::path& information) {
  constexpr std::string_view kLabel = "Device Minor:";
  const std::string text = common::read_file(information);
  const std::size_t found = text.find(kLabel);
  if (found == std::string::npos) return std::nullopt;
  std::string value = text.substr(found + kLabel.size());
  value = value.substr(0, value.find('\n'));
  std::erase_if(value, [](unsigned char letter) { return std::isspace(letter) != 0; });
  return count_in(value);
}

bool is_gpu_name(const std::string& entry) {
  return count_in(entry) || entry.rfind("GPU-", 0) == 0 || entry.rfind("MIG-", 0) == 0;
}

}  // namespace

std::vector<int> parse_cpu_list(const std::string& text) {
  std::set<int> cpus;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const auto first = count_in(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : count_in(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= CPU_SETSIZE)
      throw UsageError(
          fmt::format("--slots-cpus \"{}\": \"{}\" is not a processor or a range; write 0-3,6", text, part));
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
  }
  return {cpus.begin(), cpus.end()};
}

std::vector<std::string> parse_visible_gpus(const std::string& text) {
  std::vector<std::string> gpus;
  for (const std::string& entry : split(text, ',')) {
    if (!is_gpu_name(entry)) break;
    gpus.push_back(entry);
  }
  return gpus;
}

std::vector<std::string> gpus_of_driver(const fs::path& driver_folder, const fs::path& device_folder) {
  std::error_code missing;
  std::set<fs::path> by_bus;
  for (const auto& entry : fs::directory_iterator(driver_folder, missing)) by_bus.insert(entry.path());
  std::vector<std::string> gpus;
  for (const fs::path& gpu : by_bus) {
    if (!fs::exists(gpu / "information", missing)) continue;
    const auto minor = minor_number(gpu / "information");
    const bool usable = minor && fs::exists(device_folder / fmt::format("nvidia{}", *minor), missing);
    if (usable) gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

Devices local_devices(const DeviceLimits& limits) {
  Devices devices;
  devices.cpus = chosen_cpus(limits.cpu_list);
  devices.gpus = limits.visible_gpus ? parse_visible_gpus(*limits.visible_gpus) : gpus_of_driver();
  std::sort(devices.gpus.begin(), devices.gpus.end());
  limit(devices.cpus, limits.cpus, "--cpus");
  limit(devices.gpus, limits.gpus, "--gpus");
  return devices;
}

std::string host_name() {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) throw common::errno_error("gethostname", "this host");
  return host;
}

AgentReport local_report(const DeviceLimits& limits, const std::string& node) {
  return {1, host_name(), local_devices(limits), node};
}

}  // namespace ditscale::orchestrator
