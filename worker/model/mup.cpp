#include "worker/model/mup.hpp"

#include <cmath>

namespace ditscale::worker {

double attention_scale(const sweeps::ModelSpec& model) {
  const auto head_width = static_cast<double>(model.width) / static_cast<double>(model.heads);
  if (!model.mup_base_width) return 1.0 / std::sqrt(head_width);
  const auto base_heads = static_cast<double>(model.mup_base_heads.value_or(model.heads));
  return std::sqrt(static_cast<double>(*model.mup_base_width) / base_heads) / head_width;
}

bool is_hidden_matrix(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (shape.size() != 2) return false;  // biases, scales, the patch convolution
  for (const char* input : {"embedding_table", "t_embedder.mlp.0", "y_embedder.proj", "null_context"}) {
    if (name.find(input) != std::string::npos) return false;
  }
  return true;
}

double lr_factor(const sweeps::ModelSpec& model, const std::string& name, const std::vector<std::int64_t>& shape) {
  if (!model.mup_base_width || !is_hidden_matrix(name, shape)) return 1.0;
  return static_cast<double>(*model.mup_base_width) / static_cast<double>(model.width);
}

}  // namespace ditscale::worker
