#include <cmath>
#include <string>

#include "worker/model/dit.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {

enum class Start { kZero, kOne, kXavier, kNormal };

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Start start_of(const std::string& name) {
  if (ends_with(name, "bias")) return Start::kZero;
  if (contains(name, "norm")) return Start::kOne;
  if (contains(name, "adaLN_modulation") || contains(name, "final_layer.linear")) return Start::kZero;
  if (contains(name, "embedding_table") || contains(name, "t_embedder.mlp")) return Start::kNormal;
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

/// Xavier's bound on the matrix view (rows, the rest): a convolution counts as the linear map of its patch.
float xavier_bound(const torch::Tensor& weight) {
  const double fan_out = static_cast<double>(weight.size(0));
  const double fan_in = static_cast<double>(weight.numel()) / fan_out;
  return static_cast<float>(std::sqrt(6.0 / (fan_in + fan_out)));
}

}  // namespace

void initialise(DiTImpl& model, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  for (auto& item : model.named_parameters()) {
    constexpr float kDeviation = 0.02F;
    auto values = torch::zeros_like(item.value(), torch::dtype(torch::kFloat32).device(torch::kCPU)).contiguous();
    float* out = values.data_ptr<float>();
    const PhiloxStream stream(seed, Purpose::kInitialisation, stream_of(item.key()));
    switch (start_of(item.key())) {
      case Start::kZero:
        break;
      case Start::kOne:
        values.fill_(1.0);
        break;
      case Start::kXavier:
        fill_uniform(out, values.numel(), xavier_bound(values), stream);
        break;
      case Start::kNormal:
        stream.fill_normal(out, values.numel());
        values.mul_(kDeviation);
        break;
    }
    item.value().copy_(values);
  }
}

}  // namespace ditscale::worker
