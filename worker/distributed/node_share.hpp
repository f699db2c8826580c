#pragma once

#include <string>
#include <vector>

#include "worker/distributed/communicator.hpp"

namespace ditscale::worker {

/// This process's part of what its gang was given on this node: the k-th of equal slices of `cpus`, k being its local
/// rank. Throws UsageError when a processor is named twice, when the list does not divide among the node's processes,
/// or when the launcher does not say how many those are.
[[nodiscard]] std::vector<int> slice_of(const std::vector<int>& cpus, const Launch& launch);

/// Runs this thread, and all that it starts from now on, on these logical processors only. Throws SystemError when the
/// kernel does not grant each of them.
void pin_to(const std::vector<int>& cpus);

/// Makes these GPUs (indices or UUIDs) the visible ones, numbered in this order: for a process in which CUDA has not
/// begun and no other thread runs. Throws UsageError when one is named twice or is no name, or when there are fewer
/// than processes on this node.
void show_gpus(const std::vector<std::string>& gpus, const Launch& launch);

}  // namespace ditscale::worker
