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

}  // namespace ditscale::worker
