#include "worker/model/embedders.hpp"

#include "worker/model/position_embedding.hpp"

namespace ditscale::worker {

namespace nn = torch::nn;

PatchEmbeddingImpl::PatchEmbeddingImpl(std::int64_t channels, std::int64_t patch, std::int64_t width) {
  proj_ = register_module("proj", nn::Conv2d(nn::Conv2dOptions(channels, width, patch).stride(patch)));
}

torch::Tensor PatchEmbeddingImpl::forward(const torch::Tensor& patches) {
  return torch::linear(patches, proj_->weight.flatten(1), proj_->bias);
}

TimestepEmbeddingImpl::TimestepEmbeddingImpl(std::int64_t width) {
  mlp_ = register_module("mlp",
                         nn::Sequential(nn::Linear(kTimestepFeatures, width), nn::SiLU(), nn::Linear(width, width)));
}

torch::Tensor TimestepEmbeddingImpl::forward(const torch::Tensor& t) {
  const auto& weight = mlp_[0]->as<nn::Linear>()->weight;
  return mlp_->forward(timestep_features(t).to(weight.scalar_type()));
}

LabelEmbeddingImpl::LabelEmbeddingImpl(std::int64_t rows, std::int64_t width) {
  embedding_table_ = register_module("embedding_table", nn::Embedding(rows, width));
}

torch::Tensor LabelEmbeddingImpl::forward(const torch::Tensor& y) { return embedding_table_->forward(y); }

ContextEmbeddingImpl::ContextEmbeddingImpl(std::int64_t tokens, std::int64_t context_width, std::int64_t width,
                                           bool droppable) {
  proj_ = register_module("proj", nn::Linear(context_width, width));
  if (droppable) null_context_ = register_parameter("null_context", torch::zeros({tokens, context_width}));
}

torch::Tensor ContextEmbeddingImpl::forward(const torch::Tensor& context, const torch::Tensor& dropped) {
  const auto sequence = context.to(proj_->weight.scalar_type());
  if (!null_context_.defined()) return proj_(sequence);
  return proj_(torch::where(dropped.view({-1, 1, 1}), null_context_, sequence));
}

}  // namespace ditscale::worker
