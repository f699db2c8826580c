#include "worker/random/normal_batch.hpp"

#include <ATen/Parallel.h>

namespace ditscale::worker {

torch::Tensor normal_batch(std::uint64_t seed, Purpose purpose, std::int64_t first, std::int64_t count,
                           const std::vector<std::int64_t>& shape, std::uint32_t sub) {
  std::vector<std::int64_t> sizes{count};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  torch::Tensor result = torch::empty(sizes, torch::kFloat32);
  const std::int64_t row = count == 0 ? 0 : result.numel() / count;
  float* out = result.data_ptr<float>();
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      PhiloxStream(seed, purpose, static_cast<std::uint64_t>(first + i), sub).fill_normal(out + i * row, row);
    }
  });
  return result;
}

}  // namespace ditscale::worker
