#pragma once

#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "worker/distributed/communicator.hpp"

namespace ditscale::worker {

/// What `work` returns. When it throws in a process of a gang, that says why and ends the gang, whose other processes
/// would wait for this one for ever; by itself the exception goes on to the caller.
template <typename Work>
auto run_in_gang(Communicator& communicator, Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    if (communicator.size() > 1) {
      fmt::print(stderr, "worker: rank {}: {}\n", communicator.rank(), error.what());
      communicator.abort_gang();
    }
    throw;
  }
}

}  // namespace ditscale::worker
