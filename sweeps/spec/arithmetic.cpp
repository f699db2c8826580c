#include "sweeps/spec/arithmetic.hpp"

#include <limits>

namespace ditscale::sweeps {

namespace {

/// Sinusoidal features that the timestep MLP reads.
constexpr std::int64_t kTimestepFeatures = 256;

std::int64_t linear(std::int64_t in, std::int64_t out) { return in * out + out; }

struct Dims {
  explicit Dims(const ModelShape& shape)
      : model(shape.model),
        d(shape.model.width),
        hidden(shape.mlp_hidden()),
        tokens(shape.num_tokens()),
        condition(shape.condition_tokens()),
        sequence(shape.sequence_tokens()),
        patch_in(shape.model.patch * shape.model.patch * shape.input.channels),
        patch_out(shape.model.patch * shape.model.patch * shape.out_channels()) {}
  const ModelSpec& model;
  std::int64_t d, hidden, tokens, condition, sequence, patch_in, patch_out;

  [[nodiscard]] bool modulated() const { return model.modulated(); }
  [[nodiscard]] std::int64_t modulations() const {
    return model.block == BlockDesign::kAdaLnZero ? 6 : model.block == BlockDesign::kAdaLn ? 4 : 0;
  }
  [[nodiscard]] bool cross_attention() const { return model.block == BlockDesign::kCrossAttention; }
  /// Matrices between width and hidden width: SwiGLU's gate is a third one.
  [[nodiscard]] std::int64_t mlp_matrices() const { return model.mlp == MlpKind::kSwiGlu ? 3 : 2; }
  /// A norm with weights: scale and shift, or scale alone.
  [[nodiscard]] std::int64_t norm() const { return model.norm == NormKind::kRms ? d : 2 * d; }
  /// Learned scales of q and of k, shared by the heads.
  [[nodiscard]] std::int64_t qk_norm() const { return model.qk_norm ? 2 * (d / model.heads) : 0; }
};

std::int64_t mlp_parameters(const Dims& m) {
  const std::int64_t inner = (m.mlp_matrices() - 1) * m.hidden;
  return linear(m.d, inner) + linear(m.hidden, m.d);
}

std::int64_t block_parameters(const Dims& m) {
  std::int64_t count = linear(m.d, 3 * m.d) + linear(m.d, m.d) + m.qk_norm() + mlp_parameters(m);
  if (m.modulated()) return count + linear(m.d, m.modulations() * m.d);
  count += 2 * m.norm();
  if (m.cross_attention()) count += linear(m.d, m.d) + linear(m.d, 2 * m.d) + linear(m.d, m.d) + m.norm() + m.qk_norm();
  return count;
}

std::int64_t block_macs(const Dims& m) {
  const std::int64_t s = m.sequence;
  std::int64_t macs =
      s * (4 * m.d * m.d + m.mlp_matrices() * m.d * m.hidden) + 2 * s * s * m.d + m.modulations() * m.d * m.d;
  if (m.cross_attention()) macs += 2 * s * m.d * m.d + 2 * m.condition * m.d * m.d + 2 * s * m.condition * m.d;
  return macs;
}

/// What turns labels or embeddings into tokens; the null sequence is as long as a real one.
std::int64_t condition_parameters(const ModelShape& shape) {
  if (shape.model.conditioning == Conditioning::kEmbeddings) {
    const std::int64_t null = shape.has_null_condition() ? shape.input.context_tokens * shape.input.context_width : 0;
    return linear(shape.input.context_width, shape.model.width) + null;
  }
  return shape.label_rows() * shape.model.width;
}

std::int64_t condition_macs(const ModelShape& shape) {
  if (shape.model.conditioning != Conditioning::kEmbeddings) return 0;
  return shape.input.context_tokens * shape.input.context_width * shape.model.width;
}

}  // namespace

ParameterCount count_parameters(const ModelShape& shape) {
  const Dims m(shape);
  ParameterCount count;
  count.trainable = linear(m.patch_in, m.d) + linear(kTimestepFeatures, m.d) + linear(m.d, m.d) +
                    condition_parameters(shape) + shape.model.depth * block_parameters(m) + linear(m.d, m.patch_out);
  count.trainable += m.modulated() ? linear(m.d, 2 * m.d) : m.norm();
  count.total = count.trainable + (shape.model.position == PositionKind::kSinCos ? m.tokens * m.d : 0);
  return count;
}

std::int64_t forward_macs(const ModelShape& shape) {
  const Dims m(shape);
  const std::int64_t embedders =
      m.tokens * m.patch_in * m.d + kTimestepFeatures * m.d + m.d * m.d + condition_macs(shape);
  const std::int64_t final_layer = m.tokens * m.d * m.patch_out + (m.modulated() ? 2 * m.d * m.d : 0);
  return embedders + shape.model.depth * block_macs(m) + final_layer;
}

double training_flops_per_image(const ModelShape& shape) { return 6.0 * static_cast<double>(forward_macs(shape)); }

std::int64_t training_state_bytes(const ModelShape& shape) {
  constexpr std::int64_t kCopies = 5;
  constexpr std::int64_t kBytesPerValue = 4;
  return kCopies * kBytesPerValue * count_parameters(shape).trainable;
}

std::int64_t activation_bytes(const ModelShape& shape, std::int64_t images, std::int64_t bytes_per_value) {
  const Dims m(shape);
  // Per token: residual stream twice, two normalised and two modulated inputs, qkv, attention output, its projection,
  // the MLP's two hidden tensors and its output; under cross-attention its query, output, projection and norm.
  std::int64_t per_token = 2 * m.d + 4 * m.d + 3 * m.d + 2 * m.d + m.mlp_matrices() * m.hidden + m.d;
  if (m.cross_attention()) per_token += 5 * m.d;
  if (m.model.qk_norm) per_token += 2 * m.d;
  const std::int64_t outside = m.tokens * (2 * m.d + m.patch_in + m.patch_out);
  // The largest models and batches that a file may name do not fit the type: "more than any machine has" is enough.
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t most_values = kMost / images / bytes_per_value;
  if (per_token > (most_values - outside) / shape.model.depth / m.sequence) return kMost;
  return images * (shape.model.depth * m.sequence * per_token + outside) * bytes_per_value;
}

}  // namespace ditscale::sweeps
