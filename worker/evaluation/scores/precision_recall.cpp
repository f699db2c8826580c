#include "worker/evaluation/scores/precision_recall.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace ditscale::worker {

namespace {

/// Rows whose distances to a group of others are held at once.
constexpr std::int64_t kDistanceRows = 1000;
constexpr double kFar = std::numeric_limits<double>::infinity();

/// Vectors about one centre, so that the differences of large products below cost no digits.
struct Vectors {
  torch::Tensor values;  // (N, D) any floating type
  torch::Tensor centre;  // (D) float64

  [[nodiscard]] std::int64_t size() const { return values.size(0); }
  [[nodiscard]] torch::Tensor rows(std::int64_t begin, std::int64_t end) const {
    return values.slice(0, begin, end).to(torch::kDouble) - centre;
  }
};

torch::Tensor squared_distances(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor squares = a.square().sum(1, true) + b.square().sum(1).unsqueeze(0);
  return squares.addmm_(a, b.t(), 1, -2).clamp_min_(0);  // (A, B)
}

template <typename Act>
void for_rows(std::int64_t count, Act act) {
  for (std::int64_t begin = 0; begin < count; begin += kDistanceRows)
    act(begin, std::min(begin + kDistanceRows, count));
}

/// Distances of rows to the three nearest of the vectors begin … end - 1, themselves excluded; infinite where there are
/// fewer.
torch::Tensor nearest(const Vectors& vectors, const torch::Tensor& rows, std::int64_t first_row, std::int64_t begin,
                      std::int64_t end) {
  torch::Tensor distances = squared_distances(rows, vectors.rows(begin, end));
  const std::int64_t own_begin = std::max(first_row, begin);
  const std::int64_t own_end = std::min(first_row + rows.size(0), end);
  if (own_begin < own_end) {
    distances.slice(0, own_begin - first_row, own_end - first_row)
        .slice(1, own_begin - begin, own_end - begin)
        .diagonal()
        .fill_(kFar);
  }
  if (end - begin < kManifoldNeighbours)
    distances = at::constant_pad_nd(distances, {0, kManifoldNeighbours - (end - begin)}, kFar);
  return std::get<0>(distances.topk(kManifoldNeighbours, 1, /*largest=*/false));  // (rows, 3)
}

torch::Tensor third(const torch::Tensor& candidates) {
  return std::get<0>(candidates.kthvalue(kManifoldNeighbours, 1));
}

/// Squared radii of the balls around vectors: column g without the vectors of group g, the last one with all.
torch::Tensor radii_without_groups(const Vectors& vectors, const SampleGroups& groups) {
  constexpr std::int64_t kGroups = SampleGroups::kGroups;
  torch::Tensor radii = torch::empty({vectors.size(), kGroups + 1}, torch::dtype(torch::kDouble));
  for_rows(vectors.size(), [&](std::int64_t begin, std::int64_t end) {
    const torch::Tensor rows = vectors.rows(begin, end);
    std::vector<torch::Tensor> of_groups;
    for (std::int64_t g = 0; g < kGroups; ++g)
      of_groups.push_back(nearest(vectors, rows, begin, groups.begin(g), groups.begin(g + 1)));
    const torch::Tensor candidates = at::cat(of_groups, 1);  // (rows, 3 groups)
    const torch::Tensor out = radii.slice(0, begin, end);
    out.select(1, kGroups).copy_(third(candidates));
    for (std::int64_t g = 0; g < kGroups; ++g) {
      torch::Tensor others = candidates.clone();
      others.slice(1, g * kManifoldNeighbours, (g + 1) * kManifoldNeighbours).fill_(kFar);
      out.select(1, g).copy_(third(others));
    }
  });
  return radii;
}

torch::Tensor radii_of(const Vectors& vectors) {
  torch::Tensor radii = torch::empty({vectors.size()}, torch::dtype(torch::kDouble));
  for_rows(vectors.size(), [&](std::int64_t begin, std::int64_t end) {
    radii.slice(0, begin, end).copy_(nearest(vectors, vectors.rows(begin, end), begin, 0, vectors.size()).select(1, 2));
  });
  return radii;
}

/// Whether each row lies in a ball of the vectors begin … end - 1.
torch::Tensor inside(const torch::Tensor& distances, const torch::Tensor& radii) {
  return distances.le(radii.unsqueeze(0)).any(1);
}

Score too_few(std::string_view whose, std::int64_t count) {
  return {std::nullopt,
          std::nullopt,
          fmt::format("{} {} have no third neighbour each: {} are needed", count, whose, kManifoldNeighbours + 1),
          {}};
}

}  // namespace

Score precision_of(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups) {
  if (real.size(0) <= kManifoldNeighbours) return too_few("images of the reference", real.size(0));
  const torch::Tensor centre = real.to(torch::kDouble).mean(0);
  const Vectors manifold{real, centre};
  const torch::Tensor radii = radii_of(manifold);
  const Vectors asked{samples, centre};
  torch::Tensor hits = torch::zeros({samples.size(0)}, torch::dtype(torch::kDouble));
  for_rows(samples.size(0), [&](std::int64_t begin, std::int64_t end) {
    const torch::Tensor distances = squared_distances(asked.rows(begin, end), manifold.rows(0, manifold.size()));
    hits.slice(0, begin, end).copy_(inside(distances, radii));
  });
  const double all = hits.sum().item<double>();
  const auto count = static_cast<double>(groups.num_samples);
  std::vector<double> left_out;
  for (std::int64_t g = 0; g < SampleGroups::kGroups && allows_jackknife(groups); ++g) {
    const double own = hits.slice(0, groups.begin(g), groups.begin(g + 1)).sum().item<double>();
    left_out.push_back((all - own) / (count - static_cast<double>(groups.size(g))));
  }
  return with_error(all / count, left_out, groups);
}

Score recall_of(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups) {
  constexpr std::int64_t kGroups = SampleGroups::kGroups;
  if (samples.size(0) <= kManifoldNeighbours) return too_few("samples", samples.size(0));
  const torch::Tensor centre = real.to(torch::kDouble).mean(0);
  const Vectors manifold{samples, centre};
  const torch::Tensor radii = radii_without_groups(manifold, groups);
  const Vectors asked{real, centre};
  torch::Tensor hits = torch::zeros({real.size(0), kGroups + 1}, torch::dtype(torch::kBool));
  for_rows(real.size(0), [&](std::int64_t begin, std::int64_t end) {
    const torch::Tensor rows = asked.rows(begin, end);
    for (std::int64_t own = 0; own < kGroups; ++own) {
      if (groups.size(own) == 0) continue;
      const std::int64_t first = groups.begin(own);
      const std::int64_t last = groups.begin(own + 1);
      const torch::Tensor distances = squared_distances(rows, manifold.rows(first, last));
      for (std::int64_t g = 0; g <= kGroups; ++g) {
        if (g == own) continue;
        hits.slice(0, begin, end).select(1, g).logical_or_(inside(distances, radii.slice(0, first, last).select(1, g)));
      }
    }
  });
  const torch::Tensor shares = hits.to(torch::kDouble).mean(0);
  const auto share = [&](std::int64_t g) { return shares[g].item<double>(); };
  std::vector<double> left_out;
  for (std::int64_t g = 0; g < kGroups && allows_jackknife(groups); ++g) left_out.push_back(share(g));
  return with_error(share(kGroups), left_out, groups);
}

}  // namespace ditscale::worker
