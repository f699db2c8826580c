#include "worker/model/position_embedding.hpp"

#include <cmath>

namespace ditscale::worker {

torch::Tensor position_embedding(std::int64_t side, std::int64_t width) {
  const auto f64 = torch::dtype(torch::kFloat64);
  const std::int64_t quarter = width / 4;
  const auto frequencies = torch::pow(10000.0, -torch::arange(quarter, f64) / static_cast<double>(quarter));  // (w/4)
  const auto angles = torch::outer(torch::arange(side, f64), frequencies);     // (side, w/4)
  const auto one_axis = torch::cat({angles.sin(), angles.cos()}, 1);           // (side, w/2)
  const auto along_x = one_axis.unsqueeze(0).expand({side, side, width / 2});  // varies with the column
  const auto along_y = one_axis.unsqueeze(1).expand({side, side, width / 2});  // varies with the row
  return torch::cat({along_x, along_y}, 2).reshape({1, side * side, width}).to(torch::kFloat32);
}

torch::Tensor timestep_features(const torch::Tensor& t) {
  constexpr std::int64_t kHalf = kTimestepFeatures / 2;
  const auto options = torch::dtype(torch::kFloat32).device(t.device());
  const auto frequencies = torch::exp(torch::arange(kHalf, options) * (-std::log(10000.0) / kHalf));  // (128)
  const auto angles = t.to(torch::kFloat32).unsqueeze(1) * frequencies.unsqueeze(0);                  // (N, 128)
  return torch::cat({angles.cos(), angles.sin()}, 1);                                                 // (N, 256)
}

}  // namespace ditscale::worker
