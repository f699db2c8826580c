#include "sweeps/spec/arithmetic.hpp"

#include <limits>

namespace ditscale::sweeps {

namespace {

/// Sinusoidal features that the timestep MLP reads.
constexpr std::int64_t kTimestepFeatures = 256;
/// Conditioning tokens [t; y] of the in-context and cross-attention designs.
constexpr std::int64_t kConditionTokens = 2;

std::int64_t linear(std::int64_t in, std::int64_t out) { return in * out + out; }

struct Dims {
  explicit Dims(const ModelShape& shape)
      : d(shape.model.width),
        hidden(shape.mlp_hidden()),
        tokens(shape.num_tokens()),
        patch_in(shape.model.patch * shape.model.patch * shape.input.channels),
        patch_out(shape.model.patch * shape.model.patch * shape.out_channels()),
        block(shape.model.block) {}
  std::int64_t d, hidden, tokens, patch_in, patch_out;
  BlockDesign block;

  /// adaLN designs regress shift and scale (and gate) from the condition; the other two have LayerNorms with weights
  /// instead.
  [[nodiscard]] bool modulated() const { return block == BlockDesign::kAdaLnZero || block == BlockDesign::kAdaLn; }
  [[nodiscard]] std::int64_t modulations() const {
    return block == BlockDesign::kAdaLnZero ? 6 : block == BlockDesign::kAdaLn ? 4 : 0;
  }
  [[nodiscard]] std::int64_t sequence() const {
    return block == BlockDesign::kInContext ? tokens + kConditionTokens : tokens;
  }
};

std::int64_t block_parameters(const Dims& m) {
  std::int64_t count = linear(m.d, 3 * m.d) + linear(m.d, m.d) + linear(m.d, m.hidden) + linear(m.hidden, m.d);
  if (m.modulated()) return count + linear(m.d, m.modulations() * m.d);
  count += 2 * 2 * m.d;  // two LayerNorms
  if (m.block == BlockDesign::kCrossAttention)
    count += linear(m.d, m.d) + linear(m.d, 2 * m.d) + linear(m.d, m.d) + 2 * m.d;
  return count;
}

std::int64_t block_macs(const Dims& m) {
  const std::int64_t s = m.sequence();
  std::int64_t macs = s * (4 * m.d * m.d + 2 * m.d * m.hidden) + 2 * s * s * m.d + m.modulations() * m.d * m.d;
  if (m.block == BlockDesign::kCrossAttention) {
    macs += 2 * s * m.d * m.d + 2 * kConditionTokens * m.d * m.d + 2 * s * kConditionTokens * m.d;
  }
  return macs;
}

}  // namespace

ParameterCount count_parameters(const ModelShape& shape) {
  const Dims m(shape);
  ParameterCount count;
  count.trainable = linear(m.patch_in, m.d) + linear(kTimestepFeatures, m.d) + linear(m.d, m.d) +
                    shape.label_rows() * m.d + shape.model.depth * block_parameters(m) + linear(m.d, m.patch_out);
  count.trainable += m.modulated() ? linear(m.d, 2 * m.d) : 2 * m.d;
  count.total = count.trainable + m.tokens * m.d;
  return count;
}

std::int64_t forward_macs(const ModelShape& shape) {
  const Dims m(shape);
  const std::int64_t embedders = m.tokens * m.patch_in * m.d + kTimestepFeatures * m.d + m.d * m.d;
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
  std::int64_t per_token = 2 * m.d + 4 * m.d + 3 * m.d + 2 * m.d + 2 * m.hidden + m.d;
  if (m.block == BlockDesign::kCrossAttention) per_token += 5 * m.d;
  const std::int64_t per_image =
      shape.model.depth * m.sequence() * per_token + m.tokens * (2 * m.d + m.patch_in + m.patch_out);
  // The largest models and batches that a file may name do not fit the type: "more than any machine has" is enough.
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return per_image > kMost / images / bytes_per_value ? kMost : images * per_image * bytes_per_value;
}

}  // namespace ditscale::sweeps
