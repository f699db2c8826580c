#include "worker/model/dit.hpp"

#include "common/error.hpp"
#include "worker/model/position_embedding.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;

DiTImpl::DiTImpl(const sweeps::ModelShape& shape) : shape_(shape) {
  const auto why = sweeps::why_impossible(shape);
  DITSCALE_CHECK(!why, "{}", *why);
  const sweeps::ModelSpec& model = shape.model;
  x_embedder_ = register_module("x_embedder", PatchEmbedding(shape.input.channels, model.patch, model.width));
  t_embedder_ = register_module("t_embedder", TimestepEmbedding(model.width));
  y_embedder_ = register_module("y_embedder", LabelEmbedding(shape.label_rows(), model.width));
  pos_embed_ = register_buffer("pos_embed", position_embedding(shape.tokens_per_side(), model.width));
  blocks_ = register_module("blocks", nn::ModuleList());
  for (std::int64_t i = 0; i < model.depth; ++i) blocks_->push_back(Block(shape));
  final_layer_ = register_module("final_layer", FinalLayer(shape));
}

torch::Tensor DiTImpl::patchify(const torch::Tensor& x) const {
  const auto n = x.size(0), c = x.size(1), side = shape_.tokens_per_side(), p = shape_.model.patch;
  return x.view({n, c, side, p, side, p}).permute({0, 2, 4, 1, 3, 5}).reshape({n, side * side, c * p * p});
}

torch::Tensor DiTImpl::unpatchify(const torch::Tensor& tokens) const {
  const auto n = tokens.size(0), c = shape_.out_channels(), side = shape_.tokens_per_side(), p = shape_.model.patch;
  return tokens.view({n, side, side, p, p, c}).permute({0, 5, 1, 3, 2, 4}).reshape({n, c, side * p, side * p});
}

torch::Tensor DiTImpl::forward(const torch::Tensor& x, const torch::Tensor& t, const torch::Tensor& y) {
  const auto t_token = t_embedder_(t);  // (N, D)
  const auto y_token = y_embedder_(y);  // (N, D)
  Condition condition;
  condition.vector = torch::silu(t_token + y_token);
  condition.tokens = torch::stack({t_token, y_token}, 1);  // (N, 2, D)

  auto tokens = x_embedder_(patchify(x)) + pos_embed_;  // (N, T, D)
  const bool in_context = shape_.model.block == sweeps::BlockDesign::kInContext;
  if (in_context) tokens = torch::cat({tokens, condition.tokens}, 1);  // (N, T + 2, D)
  for (const auto& block : *blocks_) tokens = block->as<BlockImpl>()->forward(tokens, condition);
  if (in_context) tokens = tokens.narrow(1, 0, shape_.num_tokens());
  return unpatchify(final_layer_(tokens, condition.vector));
}

}  // namespace ditscale::worker
