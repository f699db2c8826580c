#pragma once

#include <cstdint>

#include <torch/torch.h>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/block.hpp"
#include "worker/model/embedders.hpp"
#include "worker/model/final_layer.hpp"

namespace ditscale::worker {

/// Diffusion Transformer (Peebles & Xie, section 3).
/// Shapes in this room: N images, C channels in, O channels out, S side, P patch, T tokens, D width, H heads.
///
/// Parameters carry the names of the reference checkpoint ("blocks.0.attn.qkv.weight"); the position embedding is a
/// buffer.
class DiTImpl : public torch::nn::Module {
 public:
  explicit DiTImpl(const sweeps::ModelShape& shape);

  /// x (N, C, S, S), t (N) original timesteps, y (N) labels, `null_label()` for none → (N, O, S, S): noise, then
  /// variance.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& t, const torch::Tensor& y);

  /// Label of the dropped class: the number of classes. Exists only when class_dropout is above 0.
  [[nodiscard]] std::int64_t null_label() const { return shape_.input.num_classes; }
  [[nodiscard]] const sweeps::ModelShape& shape() const { return shape_; }

 private:
  [[nodiscard]] torch::Tensor patchify(const torch::Tensor& x) const;         // (N, C, S, S) → (N, T, C P P)
  [[nodiscard]] torch::Tensor unpatchify(const torch::Tensor& tokens) const;  // (N, T, P P O) → (N, O, S, S)

  sweeps::ModelShape shape_;
  PatchEmbedding x_embedder_{nullptr};
  TimestepEmbedding t_embedder_{nullptr};
  LabelEmbedding y_embedder_{nullptr};
  torch::Tensor pos_embed_;  // (1, T, D)
  torch::nn::ModuleList blocks_{nullptr};
  FinalLayer final_layer_{nullptr};
};
TORCH_MODULE(DiT);

/// The paper's initialisation, drawn from counters keyed by (seed, parameter's name), so that it does not depend on the
/// order of the modules: Xavier uniform matrices, zero biases, N(0, 0.02) label table and timestep MLP, zero
/// modulations and final linear layer.
void initialise(DiTImpl& model, std::uint64_t seed);

}  // namespace ditscale::worker
