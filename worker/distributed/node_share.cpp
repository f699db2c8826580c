#include "worker/distributed/node_share.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

#include <fmt/ranges.h>
#include <sched.h>

#include "common/error.hpp"

namespace ditscale::worker {

using common::UsageError;

namespace {

std::int64_t processes_of_node(const Launch& launch, const char* option) {
  if (launch.local_size > launch.local_rank) return launch.local_size;
  throw UsageError(fmt::format(
      "{}: the launcher does not say how many processes run on this node (OMPI_COMM_WORLD_LOCAL_SIZE, MPI_LOCALNRANKS)",
      option));
}

template <typename T>
void check_distinct(const std::vector<T>& names, const char* option) {
  if (std::set<T>(names.begin(), names.end()).size() != names.size())
    throw UsageError(fmt::format("{} {}: one is named twice", option, fmt::join(names, ",")));
}

bool is_gpu_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '/'; });
}

}  // namespace

std::vector<int> slice_of(const std::vector<int>& cpus, const Launch& launch) {
  check_distinct(cpus, "--cpu-list");
  const auto num_cpus = static_cast<std::int64_t>(cpus.size()), num_processes = processes_of_node(launch, "--cpu-list");
  if (num_cpus % num_processes != 0) {
    throw UsageError(fmt::format("--cpu-list: {} processors do not divide among {} processes of this node", num_cpus,
                                 num_processes));
  }
  const std::int64_t length = num_cpus / num_processes;
  const auto begin = cpus.begin() + launch.local_rank * length;
  return {begin, begin + length};
}

void pin_to(const std::vector<int>& cpus) {
  cpu_set_t wanted, granted;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(cpu, &wanted);
  const std::string names = fmt::format("processors {}", fmt::join(cpus, ","));
  if (::sched_setaffinity(0, sizeof wanted, &wanted) != 0) throw common::errno_error("sched_setaffinity", names);
  if (::sched_getaffinity(0, sizeof granted, &granted) != 0) throw common::errno_error("sched_getaffinity", names);
  // Of what lies outside the job's cpuset the kernel leaves out what it can without a word.
  if (!CPU_EQUAL(&wanted, &granted)) {
    throw common::SystemError(
        fmt::format("sched_setaffinity {}: only {} of them belong to this job (Cpus_allowed_list in /proc/self/status)",
                    names, CPU_COUNT(&granted)));
  }
}

void show_gpus(const std::vector<std::string>& gpus, const Launch& launch) {
  check_distinct(gpus, "--gpu-list");
  for (const std::string& name : gpus) {
    if (!is_gpu_name(name))
      throw UsageError(fmt::format("--gpu-list: \"{}\" is neither an index nor a UUID of a GPU", name));
  }
  const std::int64_t num_processes = processes_of_node(launch, "--gpu-list");
  if (static_cast<std::int64_t>(gpus.size()) < num_processes) {
    throw UsageError(fmt::format("--gpu-list: {} processes of this node need as many GPUs, {} are given", num_processes,
                                 gpus.size()));
  }
  if (::setenv("CUDA_VISIBLE_DEVICES", fmt::format("{}", fmt::join(gpus, ",")).c_str(), /*overwrite=*/1) != 0)
    throw common::errno_error("setenv", "CUDA_VISIBLE_DEVICES");
}

}  // namespace ditscale::worker
