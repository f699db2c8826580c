#pragma once

#include "worker/distributed/communicator.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The rows (n, D) float32 of all ranks below each other in the order of the ranks, (size n, D) on the CPU of every
/// rank. All ranks give equally many. Exact: each value is summed with zeros. `device` is where the communicator sums.
/// *Collective: all ranks.*
[[nodiscard]] torch::Tensor gather_rows(Communicator& communicator, const torch::Tensor& rows, torch::Device device);

/// Whether this is true on any rank. *Collective: all ranks.*
[[nodiscard]] bool any_rank(Communicator& communicator, bool mine, torch::Device device);

/// Returns once all ranks have come here. *Collective: all ranks.*
void wait_for_all(Communicator& communicator, torch::Device device);

}  // namespace ditscale::worker
