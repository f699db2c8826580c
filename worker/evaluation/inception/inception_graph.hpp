#pragma once

#include <initializer_list>
#include <string>

#include <torch/types.h>

#include "worker/evaluation/inception/inception_weights.hpp"

namespace ditscale::worker {

/// The 2015 Inception graph (Szegedy et al., arXiv 1512.00567, as TensorFlow published it and FID uses it), from the
/// scaled image to the last average pool. It differs from torchvision's in its pools: averages leave out the padding,
/// and the last block pools by maximum.
class InceptionGraph {
 public:
  explicit InceptionGraph(InceptionWeights weights) : weights_(std::move(weights)) {}

  struct Maps {
    torch::Tensor pooled;   // (N, 2048)
    torch::Tensor spatial;  // (N, 192, 17, 17): Mixed_6d.branch1x1
  };
  /// `x`: (N, 3, 299, 299) in [-1, 1], channels last, on the weights' device. Other sizes from 75 pixels on give
  /// spatial maps of other sizes.
  [[nodiscard]] Maps operator()(torch::Tensor x) const;
  [[nodiscard]] const InceptionWeights& weights() const { return weights_; }

 private:
  using Names = std::initializer_list<const char*>;

  [[nodiscard]] torch::Tensor convolve(const std::string& name, const torch::Tensor& x) const;
  /// Convolutions of a block one after another.
  [[nodiscard]] torch::Tensor chain(const std::string& block, Names names, torch::Tensor x) const;
  [[nodiscard]] torch::Tensor stem(torch::Tensor x) const;
  [[nodiscard]] torch::Tensor block_a(const std::string& name, const torch::Tensor& x) const;
  [[nodiscard]] torch::Tensor block_b(const std::string& name, const torch::Tensor& x) const;
  /// `branch1x1` gets the first branch's output, where asked for.
  [[nodiscard]] torch::Tensor block_c(const std::string& name, const torch::Tensor& x,
                                      torch::Tensor* branch1x1 = nullptr) const;
  [[nodiscard]] torch::Tensor block_d(const std::string& name, const torch::Tensor& x) const;
  /// `pooled`: x after the block's own pool.
  [[nodiscard]] torch::Tensor block_e(const std::string& name, const torch::Tensor& x,
                                      const torch::Tensor& pooled) const;

  InceptionWeights weights_;
};

}  // namespace ditscale::worker
