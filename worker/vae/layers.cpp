#include "worker/vae/layers.hpp"

#include "worker/torch.hpp"

namespace ditscale::worker::vae {

namespace {

constexpr double kEps = 1e-6;

}  // namespace

Convolution::Convolution(const VaeWeights& weights, const std::string& name, std::int64_t stride, std::int64_t padding)
    : weight_(weights.at(name + ".weight")), bias_(weights.at(name + ".bias")), stride_(stride), padding_(padding) {}

torch::Tensor Convolution::operator()(const torch::Tensor& x) const {
  return torch::conv2d(x, weight_, bias_, stride_, padding_);
}

GroupNorm::GroupNorm(const VaeWeights& weights, const std::string& name)
    : weight_(weights.at(name + ".weight")), bias_(weights.at(name + ".bias")), groups_(weights.config.norm_groups) {}

torch::Tensor GroupNorm::operator()(const torch::Tensor& x) const {
  return torch::group_norm(x, groups_, weight_, bias_, kEps);
}

torch::Tensor GroupNorm::activated(const torch::Tensor& x) const {
  torch::Tensor normalised = (*this)(x);
  return at::silu_(normalised);
}

ResnetBlock::ResnetBlock(const VaeWeights& weights, const std::string& name)
    : norm1_(weights, name + ".norm1"),
      norm2_(weights, name + ".norm2"),
      conv1_(weights, name + ".conv1", 1, 1),
      conv2_(weights, name + ".conv2", 1, 1) {
  const std::string shortcut = name + ".conv_shortcut";
  if (weights.tensors.contains(shortcut + ".weight")) shortcut_.emplace(weights, shortcut, 1, 0);
}

torch::Tensor ResnetBlock::operator()(const torch::Tensor& x) const {
  torch::Tensor hidden = conv1_(norm1_.activated(x));
  hidden = conv2_(norm2_.activated(hidden));
  return hidden.add_(shortcut_ ? (*shortcut_)(x) : x);
}

PixelAttention::Projection PixelAttention::projection(const VaeWeights& weights, const std::string& name) {
  return {.weight = weights.at(name + ".weight"), .bias = weights.at(name + ".bias")};
}

PixelAttention::PixelAttention(const VaeWeights& weights, const std::string& name)
    : norm_(weights, name + ".group_norm"),
      query_(projection(weights, name + ".to_q")),
      key_(projection(weights, name + ".to_k")),
      value_(projection(weights, name + ".to_v")),
      out_(projection(weights, name + ".to_out.0")) {}

torch::Tensor PixelAttention::operator()(const torch::Tensor& x) const {
  const auto n = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  const torch::Tensor tokens =
      norm_(x).permute({0, 2, 3, 1}).reshape({n, 1, height * width, channels});  // (N, 1, T, C)
  const auto project = [&](const Projection& p) { return torch::linear(tokens, p.weight, p.bias); };
  const torch::Tensor mixed = at::scaled_dot_product_attention(project(query_), project(key_), project(value_));
  const torch::Tensor out = torch::linear(mixed, out_.weight, out_.bias);  // (N, 1, T, C)
  return x + out.view({n, height, width, channels}).permute({0, 3, 1, 2});
}

MidBlock::MidBlock(const VaeWeights& weights, const std::string& name)
    : first_(weights, name + ".resnets.0"),
      attention_(weights, name + ".attentions.0"),
      second_(weights, name + ".resnets.1") {}

torch::Tensor MidBlock::operator()(const torch::Tensor& x) const { return second_(attention_(first_(x))); }

}  // namespace ditscale::worker::vae
