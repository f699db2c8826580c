#include "worker/evaluation/inception/tf1_resize.hpp"

namespace ditscale::worker {

namespace {

/// One axis of a resize: for each output pixel the two input pixels and the share of the second.
struct Axis {
  torch::Tensor low, high;
  torch::Tensor share;
};

Axis axis_of(std::int64_t in, std::int64_t out, torch::Device device) {
  const auto scale = static_cast<float>(static_cast<double>(in) / static_cast<double>(out));
  const torch::Tensor place = torch::arange(out, torch::dtype(torch::kFloat32)) * scale;
  const torch::Tensor low = place.to(torch::kLong).clamp_max(in - 1);
  const torch::Tensor share = place - low.to(torch::kFloat32);
  return {low.to(device), (low + 1).clamp_max(in - 1).to(device), share.to(device)};
}

}  // namespace

torch::Tensor resize_as_tf1(const torch::Tensor& images, std::int64_t side) {
  const Axis x = axis_of(images.size(3), side, images.device());
  const Axis y = axis_of(images.size(2), side, images.device());
  const auto mix = [](const torch::Tensor& low, const torch::Tensor& high, const torch::Tensor& share) {
    return low + (high - low) * share;
  };
  // Along x first, as TensorFlow rounds; each row is mixed once, although two output rows may use it.
  const torch::Tensor rows = mix(images.index_select(3, x.low), images.index_select(3, x.high), x.share);
  return mix(rows.index_select(2, y.low), rows.index_select(2, y.high), y.share.view({side, 1}));
}

}  // namespace ditscale::worker
