#pragma once

#include <cstdint>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// Linear embedding of patches: the reference's strided convolution, computed as one matrix product.
class PatchEmbeddingImpl : public torch::nn::Module {
 public:
  PatchEmbeddingImpl(std::int64_t channels, std::int64_t patch, std::int64_t width);
  torch::Tensor forward(const torch::Tensor& patches);  // (N, T, C P P) → (N, T, D)

 private:
  torch::nn::Conv2d proj_{nullptr};
};
TORCH_MODULE(PatchEmbedding);

/// Sinusoidal features through a two-layer MLP.
class TimestepEmbeddingImpl : public torch::nn::Module {
 public:
  explicit TimestepEmbeddingImpl(std::int64_t width);
  torch::Tensor forward(const torch::Tensor& t);  // (N) → (N, D)

 private:
  torch::nn::Sequential mlp_{nullptr};
};
TORCH_MODULE(TimestepEmbedding);

/// One row for each class, and one more for the null label when labels are dropped.
class LabelEmbeddingImpl : public torch::nn::Module {
 public:
  LabelEmbeddingImpl(std::int64_t rows, std::int64_t width);
  torch::Tensor forward(const torch::Tensor& y);  // (N) → (N, D)

 private:
  torch::nn::Embedding embedding_table_{nullptr};
};
TORCH_MODULE(LabelEmbedding);

/// A sequence of precomputed embeddings, projected; a learned sequence stands for a dropped one.
class ContextEmbeddingImpl : public torch::nn::Module {
 public:
  /// `droppable`: whether the learned sequence exists.
  ContextEmbeddingImpl(std::int64_t tokens, std::int64_t context_width, std::int64_t width, bool droppable);
  /// context (N, L, E), dropped (N) bool → (N, L, D).
  torch::Tensor forward(const torch::Tensor& context, const torch::Tensor& dropped);

 private:
  torch::nn::Linear proj_{nullptr};
  torch::Tensor null_context_;  // (L, E)
};
TORCH_MODULE(ContextEmbedding);

}  // namespace ditscale::worker
