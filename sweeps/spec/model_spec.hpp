#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sweeps/spec/choices.hpp"

namespace ditscale::sweeps {

/// How a block is told the timestep and the class (paper, section 3.2 and figure 3).
enum class BlockDesign { kAdaLnZero, kAdaLn, kCrossAttention, kInContext };
/// Normalisation in front of each branch.
enum class NormKind { kLayer, kRms };
/// A block's perceptron: two layers and a tanh-GELU, or the gated form with three matrices (Shazeer 2020).
enum class MlpKind { kGelu, kSwiGlu };
/// Where a token learns its place: a fixed sine-cosine sum at the input, or rotations of q and k by row and column.
enum class PositionKind { kSinCos, kRope };
/// Start of the adaLN modulations: zero (every block begins as the identity), or N(0, 0.02).
enum class AdaLnInit { kZero, kNormal };
/// What an image is described by: its class, nothing, or a sequence of precomputed embeddings (of a text, say).
enum class Conditioning { kClass, kNone, kEmbeddings };

template <>
struct Choices<BlockDesign> {
  static constexpr std::array<std::pair<BlockDesign, std::string_view>, 4> kAll{
      {{BlockDesign::kAdaLnZero, "adaln_zero"},
       {BlockDesign::kAdaLn, "adaln"},
       {BlockDesign::kCrossAttention, "cross_attention"},
       {BlockDesign::kInContext, "in_context"}}};
};
template <>
struct Choices<NormKind> {
  static constexpr std::array<std::pair<NormKind, std::string_view>, 2> kAll{
      {{NormKind::kLayer, "layer"}, {NormKind::kRms, "rms"}}};
};
template <>
struct Choices<MlpKind> {
  static constexpr std::array<std::pair<MlpKind, std::string_view>, 2> kAll{
      {{MlpKind::kGelu, "gelu"}, {MlpKind::kSwiGlu, "swiglu"}}};
};
template <>
struct Choices<PositionKind> {
  static constexpr std::array<std::pair<PositionKind, std::string_view>, 2> kAll{
      {{PositionKind::kSinCos, "sincos"}, {PositionKind::kRope, "rope"}}};
};
template <>
struct Choices<AdaLnInit> {
  static constexpr std::array<std::pair<AdaLnInit, std::string_view>, 2> kAll{
      {{AdaLnInit::kZero, "zero"}, {AdaLnInit::kNormal, "normal"}}};
};
template <>
struct Choices<Conditioning> {
  static constexpr std::array<std::pair<Conditioning, std::string_view>, 3> kAll{
      {{Conditioning::kClass, "class"}, {Conditioning::kNone, "none"}, {Conditioning::kEmbeddings, "embeddings"}}};
};

/// The transformer of one trial.
struct ModelSpec {
  /// Number of blocks.
  std::int64_t depth = 12;
  /// Channels of a token; a multiple of `heads` and of 4 (the position embedding has four parts).
  std::int64_t width = 384;
  std::int64_t heads = 6;
  /// Side of a square patch, in input pixels (latent pixels in a latent-space study); divides the input size.
  std::int64_t patch = 2;
  BlockDesign block = BlockDesign::kAdaLnZero;
  /// Hidden width of the MLP over `width`; SwiGLU takes two thirds of it, for about as many parameters.
  double mlp_ratio = 4.0;
  Conditioning conditioning = Conditioning::kClass;
  /// Probability that a training label (or embedding sequence) is replaced by the null one; 0 removes the null one and
  /// with it guidance.
  double class_dropout = 0.1;
  /// RMS-normalises q and k of each head, with a learned scale, before their product: keeps bf16 attention from blowing
  /// up (Henry et al. 2020).
  bool qk_norm = false;
  NormKind norm = NormKind::kLayer;
  MlpKind mlp = MlpKind::kGelu;
  PositionKind position = PositionKind::kSinCos;
  AdaLnInit adaln_init = AdaLnInit::kZero;
  /// Width at which `train.lr` was tuned: other widths start and learn so that it stays right (muP; Yang et al. 2022,
  /// table 8). Absent: the standard parametrisation.
  std::optional<std::int64_t> mup_base_width = std::nullopt;
  /// Heads at that width: attention is scaled by 1 / head width, normalised there. Absent: as many as here, so that
  /// heads widen with the model.
  std::optional<std::int64_t> mup_base_heads = std::nullopt;

  /// The adaLN designs regress shift and scale (and gate) from the condition.
  [[nodiscard]] bool modulated() const { return block == BlockDesign::kAdaLnZero || block == BlockDesign::kAdaLn; }

  bool operator==(const ModelSpec&) const = default;
};

/// What the model is given: set by the data.
struct InputSpec {
  /// Side of the square input (28 for Fashion-MNIST, 32 for latents of 256 x 256 images).
  std::int64_t size = 32;
  std::int64_t channels = 4;
  std::int64_t num_classes = 1000;
  /// Length and width of an image's embedding sequence; 0 where the data has none.
  std::int64_t context_tokens = 0;
  std::int64_t context_width = 0;

  bool operator==(const InputSpec&) const = default;
};

/// A model and its input: all that parameters and MACs depend on.
struct ModelShape {
  ModelSpec model;
  InputSpec input;
  /// Twice the channels come out when the variance is learned.
  bool learn_variance = true;

  [[nodiscard]] std::int64_t tokens_per_side() const { return input.size / model.patch; }
  /// Tokens of the image alone.
  [[nodiscard]] std::int64_t num_tokens() const { return tokens_per_side() * tokens_per_side(); }
  /// Tokens that describe the image to the in-context and cross-attention designs: timestep, then class or embeddings.
  [[nodiscard]] std::int64_t condition_tokens() const;
  /// Tokens that run through the blocks: the in-context design puts those above beside the image's.
  [[nodiscard]] std::int64_t sequence_tokens() const {
    return model.block == BlockDesign::kInContext ? num_tokens() + condition_tokens() : num_tokens();
  }
  [[nodiscard]] std::int64_t out_channels() const { return learn_variance ? 2 * input.channels : input.channels; }
  [[nodiscard]] std::int64_t mlp_hidden() const;
  /// Rows of the label table: one more than the classes when labels are dropped, none without labels.
  [[nodiscard]] std::int64_t label_rows() const;
  /// What stands for a dropped label; with embeddings: for a dropped sequence, where any other label keeps it.
  [[nodiscard]] std::int64_t null_label() const {
    return model.conditioning == Conditioning::kClass ? input.num_classes : -1;
  }
  [[nodiscard]] bool has_null_condition() const {
    return model.class_dropout > 0 && model.conditioning != Conditioning::kNone;
  }
};

/// A published size by its name, "DiT-XL/2" (paper, table 1); the patch may be any of 2, 4, 8. Empty when unknown.
[[nodiscard]] std::optional<ModelSpec> named_model(std::string_view name);
/// The twelve names, S/8 first, XL/2 last.
[[nodiscard]] const std::array<std::string, 12>& named_model_names();
/// The published name of this model's size, else "d<depth>-w<width>-h<heads>/<patch>"; followed by what is not as
/// published ("-m2", "-in_context", "-qk_norm", "-rms", …), so that different transformers never share a label.
[[nodiscard]] std::string model_label(const ModelSpec& model);

/// Why this model cannot exist on this input ("width 100 is not a multiple of heads 3"), or empty when it can.
[[nodiscard]] std::optional<std::string> why_impossible(const ModelShape& shape);

}  // namespace ditscale::sweeps
