#pragma once

#include <cstdint>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/block.hpp"
#include "worker/model/embedders.hpp"
#include "worker/model/final_layer.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Diffusion Transformer (Peebles & Xie, section 3).
/// Shapes in this room: N images, C channels in, O channels out, S side, P patch, T tokens, D width, H heads.
///
/// Parameters carry the names of the reference checkpoint ("blocks.0.attn.qkv.weight"); the position embedding is a
/// buffer.
class DiTImpl : public torch::nn::Module {
 public:
  explicit DiTImpl(const sweeps::ModelShape& shape);

  /// x (N, C, S, S), t (N) original timesteps, y (N) labels, `null_label()` where dropped, context (N, L, E) for models
  /// conditioned on embeddings → (N, O, S, S): prediction, then variance.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& t, const torch::Tensor& y,
                        const torch::Tensor& context = {});

  [[nodiscard]] std::int64_t null_label() const { return shape_.null_label(); }
  [[nodiscard]] const sweeps::ModelShape& shape() const { return shape_; }

 private:
  [[nodiscard]] Condition embed_condition(const torch::Tensor& t, const torch::Tensor& y, const torch::Tensor& context);
  [[nodiscard]] torch::Tensor patchify(const torch::Tensor& x) const;         // (N, C, S, S) → (N, T, C P P)
  [[nodiscard]] torch::Tensor unpatchify(const torch::Tensor& tokens) const;  // (N, T, P P O) → (N, O, S, S)

  sweeps::ModelShape shape_;
  PatchEmbedding x_embedder_{nullptr};
  TimestepEmbedding t_embedder_{nullptr};
  /// One of the two, or neither: labels, or embeddings.
  LabelEmbedding y_embedder_{nullptr};
  ContextEmbedding context_embedder_{nullptr};
  torch::Tensor pos_embed_;  // (1, T, D); undefined with rotary positions
  torch::nn::ModuleList blocks_{nullptr};
  FinalLayer final_layer_{nullptr};
};
TORCH_MODULE(DiT);

/// The paper's initialisation, drawn from counters keyed by (seed, parameter's name), so that it does not depend on the
/// order of the modules: Xavier uniform matrices, zero biases, N(0, 0.02) label table and timestep MLP, zero
/// modulations (or N(0, 0.02): adaln_init) and final linear layer. Under muP see worker/model/mup.hpp.
void initialise(DiTImpl& model, std::uint64_t seed);

}  // namespace ditscale::worker
