#include "worker/model/rotary_embedding.hpp"

namespace ditscale::worker {

using torch::Tensor;

namespace {

/// (first, second) → (-second, first) within each half of the last dimension.
Tensor quarter_turn(const Tensor& x) {
  const auto quarters = x.chunk(4, -1);
  return torch::cat({-quarters[1], quarters[0], -quarters[3], quarters[2]}, -1);
}

}  // namespace

RotaryTables rotary_tables(std::int64_t side, std::int64_t head_width, std::int64_t extra) {
  const auto f64 = torch::dtype(torch::kFloat64);
  const std::int64_t quarter = head_width / 4;
  const auto frequencies = torch::pow(10000.0, -torch::arange(quarter, f64) / static_cast<double>(quarter));
  const auto one_axis = torch::outer(torch::arange(side, f64), torch::cat({frequencies, frequencies}));  // (side, h)
  const auto along_x = one_axis.unsqueeze(0).expand({side, side, head_width / 2});
  const auto along_y = one_axis.unsqueeze(1).expand({side, side, head_width / 2});
  const auto image = torch::cat({along_x, along_y}, 2).reshape({side * side, head_width});
  const auto angles = torch::cat({image, torch::zeros({extra, head_width}, f64)});
  return {angles.cos().to(torch::kFloat32), angles.sin().to(torch::kFloat32)};
}

Tensor rotate(const Tensor& x, const RotaryTables& tables) {
  return x * tables.cosine.to(x.scalar_type()) + quarter_turn(x) * tables.sine.to(x.scalar_type());
}

}  // namespace ditscale::worker
