#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/coordinator/events.hpp"

namespace ditscale::orchestrator {

/// What the user allows this run to use on each node; absent means everything there is.
struct DeviceLimits {
  std::optional<std::int64_t> cpus;
  std::optional<std::int64_t> gpus;
  /// "0-3,6": the logical processors to use.
  std::string cpu_list;
  /// Value of CUDA_VISIBLE_DEVICES when it is set: the batch system's or the user's choice, which is kept.
  std::optional<std::string> visible_gpus;
};

/// The logical processors this process may run on and the GPUs the driver shows, within `limits`.
/// Throws UsageError when the limits ask for more than there is.
[[nodiscard]] Devices local_devices(const DeviceLimits& limits);

/// Throws SystemError.
[[nodiscard]] std::string host_name();

/// The same as an agent reports it, with the host's name; `node` is the batch system's name for it.
[[nodiscard]] AgentReport local_report(const DeviceLimits& limits, const std::string& node = "");

/// GPUs in the driver's folder (one subfolder each, by bus address) whose device file is there: "0", "1", …, in the
/// order of the bus, as CUDA counts them under CUDA_DEVICE_ORDER=PCI_BUS_ID. No CUDA library is needed.
[[nodiscard]] std::vector<std::string> gpus_of_driver(
    const std::filesystem::path& driver_folder = "/proc/driver/nvidia/gpus",
    const std::filesystem::path& device_folder = "/dev");

/// "0-3,6" as numbers, sorted, each once. Throws UsageError.
[[nodiscard]] std::vector<int> parse_cpu_list(const std::string& text);

/// Entries of CUDA_VISIBLE_DEVICES: indices or UUIDs; like CUDA, it ends at the first that is neither ("-1",
/// "NoDevFiles").
[[nodiscard]] std::vector<std::string> parse_visible_gpus(const std::string& text);

}  // namespace ditscale::orchestrator
