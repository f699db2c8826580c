#pragma once

#include <cstdint>
#include <vector>

#include "worker/random/philox.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Standard normals, (count, shape…) float32 on the processor; row i is the stream (seed, purpose, first + i, sub).
[[nodiscard]] torch::Tensor normal_batch(std::uint64_t seed, Purpose purpose, std::int64_t first, std::int64_t count,
                                         const std::vector<std::int64_t>& shape, std::uint32_t sub = 0);

}  // namespace ditscale::worker
