#include "worker/evaluation/scores/kernel_distance.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::worker {

namespace {

constexpr std::int64_t kBlocks = SampleGroups::kGroups;
/// Rows of a kernel matrix that are held at once.
constexpr std::int64_t kKernelRows = 1000;

/// Σ k(a, b) over all pairs.
double kernel_sum(const torch::Tensor& a, const torch::Tensor& b) {
  const auto width = static_cast<double>(a.size(1));
  const torch::Tensor columns = b.to(torch::kDouble).t();
  double sum = 0;
  for (std::int64_t begin = 0; begin < a.size(0); begin += kKernelRows) {
    const torch::Tensor rows = a.slice(0, begin, begin + kKernelRows).to(torch::kDouble);
    sum += at::matmul(rows, columns).div_(width).add_(1).pow_(3).sum().item<double>();
  }
  return sum;
}

/// Σ k(a, a).
double diagonal_sum(const torch::Tensor& a) {
  const torch::Tensor squares = a.to(torch::kDouble).square().sum(1) / static_cast<double>(a.size(1));
  return (squares + 1).pow(3).sum().item<double>();
}

double off_diagonal_sum(const torch::Tensor& a) { return kernel_sum(a, a) - diagonal_sum(a); }

/// Sums of the kernel over blocks of groups: what all samples and what all but one group need.
struct BlockSums {
  torch::Tensor among = torch::zeros({kBlocks, kBlocks}, torch::dtype(torch::kDouble));  // without i = j
  torch::Tensor across = torch::zeros({kBlocks}, torch::dtype(torch::kDouble));          // with the real images
};

BlockSums block_sums(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups) {
  BlockSums sums;
  const auto group = [&](std::int64_t g) { return samples.slice(0, groups.begin(g), groups.begin(g + 1)); };
  for (std::int64_t g = 0; g < kBlocks; ++g) {
    if (groups.size(g) == 0) continue;
    sums.across[g] = kernel_sum(real, group(g));
    sums.among[g][g] = off_diagonal_sum(group(g));
    for (std::int64_t h = 0; h < g; ++h) {
      if (groups.size(h) > 0) sums.among[g][h] = sums.among[h][g] = kernel_sum(group(g), group(h));
    }
  }
  return sums;
}

}  // namespace

Score kernel_distance(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups) {
  if (samples.size(0) < 2 || real.size(0) < 2)
    return {std::nullopt,
            std::nullopt,
            fmt::format("pairs need two of each: there are {} samples and {} images of the reference", samples.size(0),
                        real.size(0)),
            {}};
  const BlockSums sums = block_sums(samples, real, groups);
  const auto num_real = static_cast<double>(real.size(0));
  const double of_real = off_diagonal_sum(real) / (num_real * (num_real - 1));
  const auto distance = [&](double among, double across, std::int64_t count) {
    const auto n = static_cast<double>(count);
    return among / (n * (n - 1)) + of_real - 2 * across / (n * num_real);
  };
  const double among = sums.among.sum().item<double>();
  const double across = sums.across.sum().item<double>();
  std::vector<double> left_out;
  for (std::int64_t g = 0; g < kBlocks && allows_jackknife(groups); ++g) {
    const double of_group = 2 * sums.among[g].sum().item<double>() - sums.among[g][g].item<double>();
    left_out.push_back(
        distance(among - of_group, across - sums.across[g].item<double>(), groups.num_samples - groups.size(g)));
  }
  return with_error(distance(among, across, groups.num_samples), left_out, groups);
}

}  // namespace ditscale::worker
