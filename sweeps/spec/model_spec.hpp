#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ditscale::sweeps {

/// How a block is told the timestep and the class (paper, section 3.2 and figure 3).
enum class BlockDesign { kAdaLnZero, kAdaLn, kCrossAttention, kInContext };

[[nodiscard]] std::string_view to_name(BlockDesign design);
[[nodiscard]] std::optional<BlockDesign> block_design_from(std::string_view name);
[[nodiscard]] const std::vector<std::string>& block_design_names();

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
  /// Hidden width of the MLP over `width`.
  double mlp_ratio = 4.0;
  /// Probability that a training label is replaced by the null label; 0 removes the null row and with it guidance.
  double class_dropout = 0.1;

  bool operator==(const ModelSpec&) const = default;
};

/// What the model is given: set by the data.
struct InputSpec {
  /// Side of the square input (28 for Fashion-MNIST, 32 for latents of 256 x 256 images).
  std::int64_t size = 32;
  std::int64_t channels = 4;
  std::int64_t num_classes = 1000;

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
  [[nodiscard]] std::int64_t out_channels() const { return learn_variance ? 2 * input.channels : input.channels; }
  [[nodiscard]] std::int64_t mlp_hidden() const {
    return static_cast<std::int64_t>(static_cast<double>(model.width) * model.mlp_ratio);
  }
  /// Rows of the label table: one more than the classes when labels are dropped.
  [[nodiscard]] std::int64_t label_rows() const { return input.num_classes + (model.class_dropout > 0 ? 1 : 0); }
};

/// A published size by its name, "DiT-XL/2" (paper, table 1); the patch may be any of 2, 4, 8. Empty when unknown.
[[nodiscard]] std::optional<ModelSpec> named_model(std::string_view name);
/// The twelve names, S/8 first, XL/2 last.
[[nodiscard]] const std::array<std::string, 12>& named_model_names();
/// The published name of this model's size, else "d<depth>-w<width>-h<heads>/<patch>"; followed by "-m<ratio>" and
/// "-<block>" where the MLP ratio is not 4 or the block not adaLN-Zero, so that different transformers never share a
/// label.
[[nodiscard]] std::string model_label(const ModelSpec& model);

/// Why this model cannot exist on this input ("width 100 is not a multiple of heads 3"), or empty when it can.
[[nodiscard]] std::optional<std::string> why_impossible(const ModelShape& shape);

}  // namespace ditscale::sweeps
