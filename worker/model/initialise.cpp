#include <cmath>
#include <string>

#include "worker/model/dit.hpp"
#include "worker/model/mup.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {

enum class Start { kZero, kOne, kXavier, kNormal };

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Start start_of(const std::string& name, const sweeps::ModelSpec& model) {
  if (ends_with(name, "bias")) return Start::kZero;
  if (contains(name, "norm")) return Start::kOne;
  if (contains(name, "final_layer.linear")) return Start::kZero;
  if (contains(name, "adaLN_modulation"))
    return model.adaln_init == sweeps::AdaLnInit::kZero ? Start::kZero : Start::kNormal;
  if (contains(name, "embedding_table") || contains(name, "null_context") || contains(name, "t_embedder.mlp"))
    return Start::kNormal;
  return Start::kXavier;
}

/// FNV-1a, 64 bits: the parameter's own stream.
std::uint64_t stream_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

void fill_uniform(float* out, std::int64_t count, float bound, const PhiloxStream& stream) {
  for (std::int64_t at = 0; at < count; at += 4) {
    const auto bits = stream.block(static_cast<std::uint32_t>(at / 4));
    for (std::int64_t i = 0; i < 4 && at + i < count; ++i) {
      out[at + i] = bound * (static_cast<float>(bits[static_cast<std::size_t>(i)]) * 0x1p-31F - 1.0F);
    }
  }
}

/// Xavier's bound on the matrix view (rows, the rest): a convolution counts as the linear map of its patch. Under muP
/// the outputs of a map from inputs of fixed size are counted as at the base width.
float xavier_bound(const torch::Tensor& weight, const std::string& name, const sweeps::ModelSpec& model) {
  const double rows = static_cast<double>(weight.size(0));
  const bool as_base = model.mup_base_width && !is_hidden_matrix(name, weight.sizes().vec());
  const double fan_in = static_cast<double>(weight.numel()) / rows;
  return static_cast<float>(std::sqrt(6.0 / (fan_in + (as_base ? static_cast<double>(*model.mup_base_width) : rows))));
}

double deviation(const std::string& name, const torch::Tensor& weight, const sweeps::ModelSpec& model) {
  constexpr double kDeviation = 0.02;
  return kDeviation * std::sqrt(lr_factor(model, name, weight.sizes().vec()));
}

}  // namespace

void initialise(DiTImpl& model, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const sweeps::ModelSpec& spec = model.shape().model;
  for (auto& item : model.named_parameters()) {
    auto values = torch::zeros_like(item.value(), torch::dtype(torch::kFloat32).device(torch::kCPU)).contiguous();
    float* out = values.data_ptr<float>();
    const PhiloxStream stream(seed, Purpose::kInitialisation, stream_of(item.key()));
    switch (start_of(item.key(), spec)) {
      case Start::kZero:
        break;
      case Start::kOne:
        values.fill_(1.0);
        break;
      case Start::kXavier:
        fill_uniform(out, values.numel(), xavier_bound(values, item.key(), spec), stream);
        break;
      case Start::kNormal:
        stream.fill_normal(out, values.numel());
        values.mul_(static_cast<float>(deviation(item.key(), values, spec)));
        break;
    }
    item.value().copy_(values);
  }
}

}  // namespace ditscale::worker
