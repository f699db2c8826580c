#include "worker/model/dit.hpp"

#include "common/error.hpp"
#include "worker/model/position_embedding.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;
using sweeps::Conditioning;

DiTImpl::DiTImpl(const sweeps::ModelShape& shape) : shape_(shape) {
  const auto why = sweeps::why_impossible(shape);
  DITSCALE_CHECK(!why, "{}", *why);
  const sweeps::ModelSpec& model = shape.model;
  x_embedder_ = register_module("x_embedder", PatchEmbedding(shape.input.channels, model.patch, model.width));
  t_embedder_ = register_module("t_embedder", TimestepEmbedding(model.width));
  if (model.conditioning == Conditioning::kClass)
    y_embedder_ = register_module("y_embedder", LabelEmbedding(shape.label_rows(), model.width));
  if (model.conditioning == Conditioning::kEmbeddings) {
    context_embedder_ =
        register_module("y_embedder", ContextEmbedding(shape.input.context_tokens, shape.input.context_width,
                                                       model.width, shape.has_null_condition()));
  }
  if (model.position == sweeps::PositionKind::kSinCos)
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

Condition DiTImpl::embed_condition(const torch::Tensor& t, const torch::Tensor& y, const torch::Tensor& context) {
  const auto t_token = t_embedder_(t);  // (N, D)
  const auto t_tokens = t_token.unsqueeze(1);
  if (context_embedder_) {
    DITSCALE_CHECK(context.defined(), "a model conditioned on embeddings was given none");
    return {torch::silu(t_token), torch::cat({t_tokens, context_embedder_(context, y == null_label())}, 1)};
  }
  if (!y_embedder_) return {torch::silu(t_token), t_tokens};
  const auto y_token = y_embedder_(y);  // (N, D)
  return {torch::silu(t_token + y_token), torch::cat({t_tokens, y_token.unsqueeze(1)}, 1)};
}

torch::Tensor DiTImpl::forward(const torch::Tensor& x, const torch::Tensor& t, const torch::Tensor& y,
                               const torch::Tensor& context) {
  const Condition condition = embed_condition(t, y, context);
  auto tokens = x_embedder_(patchify(x));  // (N, T, D)
  // The residual stream keeps the input's precision, also where the products under it are bf16.
  tokens = pos_embed_.defined() ? tokens + pos_embed_ : tokens.to(x.scalar_type());
  const bool in_context = shape_.model.block == sweeps::BlockDesign::kInContext;
  if (in_context) tokens = torch::cat({tokens, condition.tokens}, 1);  // (N, T + K, D)
  for (const auto& block : *blocks_) tokens = block->as<BlockImpl>()->forward(tokens, condition);
  if (in_context) tokens = tokens.narrow(1, 0, shape_.num_tokens());
  return unpatchify(final_layer_(tokens, condition.vector));
}

}  // namespace ditscale::worker
