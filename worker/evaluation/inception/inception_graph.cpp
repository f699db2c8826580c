#include "worker/evaluation/inception/inception_graph.hpp"

#include <utility>

#include "common/error.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

namespace {

/// 3 x 3 around each pixel, padding left out of the count.
torch::Tensor average(const torch::Tensor& x) {
  return at::avg_pool2d(x, 3, 1, 1, /*ceil_mode=*/false, /*count_include_pad=*/false);
}

torch::Tensor halved(const torch::Tensor& x) { return at::max_pool2d(x, 3, 2); }

}  // namespace

torch::Tensor InceptionGraph::convolve(const std::string& name, const torch::Tensor& x) const {
  const auto found = weights_.layers.find(name);
  DITSCALE_CHECK(found != weights_.layers.end(), "the layout has no convolution {}", name);
  const auto& [convolution, weight, bias] = found->second;
  const std::int64_t pad_y = convolution.padded ? (convolution.kernel_height - 1) / 2 : 0;
  const std::int64_t pad_x = convolution.padded ? (convolution.kernel_width - 1) / 2 : 0;
  return at::conv2d(x, weight, bias, convolution.stride, at::IntArrayRef({pad_y, pad_x})).relu_();
}

torch::Tensor InceptionGraph::chain(const std::string& block, Names names, torch::Tensor x) const {
  for (const char* name : names) x = convolve(block + "." + name, x);
  return x;
}

torch::Tensor InceptionGraph::stem(torch::Tensor x) const {
  for (const char* name : {"Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"}) x = convolve(name, x);
  x = halved(x);
  for (const char* name : {"Conv2d_3b_1x1", "Conv2d_4a_3x3"}) x = convolve(name, x);
  return halved(x);  // (N, 192, 35, 35)
}

torch::Tensor InceptionGraph::block_a(const std::string& name, const torch::Tensor& x) const {
  return torch::cat({chain(name, {"branch1x1"}, x), chain(name, {"branch5x5_1", "branch5x5_2"}, x),
                     chain(name, {"branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"}, x),
                     chain(name, {"branch_pool"}, average(x))},
                    1);
}

torch::Tensor InceptionGraph::block_b(const std::string& name, const torch::Tensor& x) const {
  return torch::cat({chain(name, {"branch3x3"}, x),
                     chain(name, {"branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"}, x), halved(x)},
                    1);
}

torch::Tensor InceptionGraph::block_c(const std::string& name, const torch::Tensor& x, torch::Tensor* branch1x1) const {
  const torch::Tensor first = chain(name, {"branch1x1"}, x);
  if (branch1x1 != nullptr) *branch1x1 = first;
  return torch::cat(
      {first, chain(name, {"branch7x7_1", "branch7x7_2", "branch7x7_3"}, x),
       chain(name, {"branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"}, x),
       chain(name, {"branch_pool"}, average(x))},
      1);
}

torch::Tensor InceptionGraph::block_d(const std::string& name, const torch::Tensor& x) const {
  return torch::cat({chain(name, {"branch3x3_1", "branch3x3_2"}, x),
                     chain(name, {"branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"}, x), halved(x)},
                    1);
}

torch::Tensor InceptionGraph::block_e(const std::string& name, const torch::Tensor& x,
                                      const torch::Tensor& pooled) const {
  const torch::Tensor single = chain(name, {"branch3x3_1"}, x);
  const torch::Tensor twice = chain(name, {"branch3x3dbl_1", "branch3x3dbl_2"}, x);
  return torch::cat({chain(name, {"branch1x1"}, x), chain(name, {"branch3x3_2a"}, single),
                     chain(name, {"branch3x3_2b"}, single), chain(name, {"branch3x3dbl_3a"}, twice),
                     chain(name, {"branch3x3dbl_3b"}, twice), chain(name, {"branch_pool"}, pooled)},
                    1);
}

InceptionGraph::Maps InceptionGraph::operator()(torch::Tensor x) const {
  Maps maps;
  x = stem(std::move(x));
  for (const char* name : {"Mixed_5b", "Mixed_5c", "Mixed_5d"}) x = block_a(name, x);
  x = block_b("Mixed_6a", x);  // (N, 768, 17, 17)
  x = block_c("Mixed_6b", x);
  x = block_c("Mixed_6c", x);
  x = block_c("Mixed_6d", x, &maps.spatial);
  x = block_c("Mixed_6e", x);
  x = block_d("Mixed_7a", x);  // (N, 1280, 8, 8)
  x = block_e("Mixed_7b", x, average(x));
  // By maximum in this graph alone: published FIDs depend on it.
  x = block_e("Mixed_7c", x, at::max_pool2d(x, 3, 1, 1));
  maps.pooled = x.mean({2, 3});
  return maps;
}

}  // namespace ditscale::worker
