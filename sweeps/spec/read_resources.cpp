#include <fmt/format.h>

#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::ObjectReader;
using common::Range;

namespace {

constexpr Range kProcesses{1, 65'536};

/// What a process cannot take an equal share of would change with their number.
void check_share(ObjectReader& reader, const std::string& key, std::int64_t processes, const TrainSpec& train) {
  if (train.global_batch % processes != 0) {
    reader.fail(key,
                fmt::format("train.global_batch {} does not divide among {} processes", train.global_batch, processes));
  }
  if (!train.divides_among(processes)) {
    reader.fail(key, fmt::format("of train.global_batch {} each of {} processes has {}, which train.micro_batch {} "
                                 "does not divide",
                                 train.global_batch, processes, train.global_batch / processes,
                                 train.local_micro_batch(processes)));
  }
}

}  // namespace

void read_resources(ObjectReader& reader, ResourceSpec& resources, const TrainSpec& train) {
  reader.get("cpus", resources.cpus, Range{1, 4096});
  reader.get("gpus", resources.gpus, Range{0, kProcesses.high});
  reader.get("processes", resources.processes, kProcesses);
  reader.get("min_processes", resources.min_processes, kProcesses);
  reader.get("max_nodes", resources.max_nodes, kProcesses);
  reader.get("priority", resources.priority, Range{-1'000'000, 1'000'000});
  if (resources.gpus > 0 && resources.processes.value_or(resources.gpus) != resources.gpus) {
    reader.fail("processes", fmt::format("{} processes for {} GPUs; each GPU has one process, so leave this out",
                                         *resources.processes, resources.gpus));
  }
  const std::int64_t processes = resources.num_processes();
  check_share(reader, resources.gpus > 0 ? "gpus" : "processes", processes, train);
  if (!resources.min_processes) return;
  if (*resources.min_processes > processes) {
    reader.fail("min_processes", fmt::format("{} is more than all {} processes", *resources.min_processes, processes));
  }
  check_share(reader, "min_processes", *resources.min_processes, train);
}

}  // namespace ditscale::sweeps
