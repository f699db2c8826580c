#include "worker/weights/import_weights.hpp"

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/model/dit.hpp"
#include "worker/model/flat_views.hpp"
#include "worker/model/position_embedding.hpp"
#include "worker/weights/infer_trial.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

/// The model must be no larger than what the file holds, before one of that size is made.
void check_tensor_total(const TensorSource& source, const sweeps::ModelShape& shape) {
  std::int64_t held = 0;
  for (const std::string& name : source.names()) {
    const auto count = num_values(source.shape(name));
    if (!count) throw CorruptData(fmt::format("tensor {} has an impossible shape", common::valid_utf8(name)));
    if (__builtin_add_overflow(held, *count, &held))
      throw CorruptData("its tensors claim more values than any file holds");
  }
  const sweeps::ParameterCount needed = sweeps::count_parameters(shape);
  constexpr std::int64_t kMaxPositions = std::int64_t{1} << 28;
  const std::int64_t positions = needed.total - needed.trainable;
  if (held < needed.trainable || positions > std::max(held, kMaxPositions)) {
    throw CorruptData(
        fmt::format("{} values in the file, the model that it describes has {} parameters and {} fixed "
                    "values",
                    held, needed.trainable, positions));
  }
}

bool is_float(at::ScalarType type) {
  return type == at::kFloat || type == at::kHalf || type == at::kBFloat16 || type == at::kDouble;
}

void check_tensors(const TensorSource& source, const FlatLayout& layout, sweeps::PositionKind position) {
  std::set<std::string> left(source.names().begin(), source.names().end());
  for (const ParameterSlot& slot : layout.slots()) {
    if (left.erase(slot.name) == 0) throw CorruptData(fmt::format("tensor {} is missing", slot.name));
    if (source.shape(slot.name) != slot.shape) {
      throw CorruptData(fmt::format("tensor {} has shape [{}], needed is [{}]", slot.name,
                                    fmt::join(source.shape(slot.name), ", "), fmt::join(slot.shape, ", ")));
    }
    if (!is_float(source.type(slot.name))) throw CorruptData(fmt::format("tensor {} is no floating point", slot.name));
  }
  if (position == sweeps::PositionKind::kSinCos) left.erase(kPositionTensor);
  if (!left.empty()) {
    throw CorruptData(fmt::format("tensor {} has no place in this model", common::valid_utf8(*left.begin())));
  }
}

/// Ours is computed in float64; another program's may be off by its type's rounding, and by that of sin and cos.
double position_tolerance(at::ScalarType type) {
  if (type == at::kHalf) return 1e-3;
  if (type == at::kBFloat16) return 8e-3;
  return 1e-5;
}

void check_positions(TensorSource& source, const sweeps::ModelShape& shape) {
  const auto& names = source.names();
  if (std::find(names.begin(), names.end(), kPositionTensor) == names.end()) return;
  const torch::Tensor stored = source.read(kPositionTensor).to(torch::kFloat32);
  const torch::Tensor ours = position_embedding(shape.tokens_per_side(), shape.model.width);
  if (stored.sizes() != ours.sizes())
    throw CorruptData(
        fmt::format("{} is not that of {} tokens of width {}", kPositionTensor, shape.num_tokens(), shape.model.width));
  const double difference = (stored - ours).abs().max().item<double>();
  if (!(difference <= position_tolerance(source.type(kPositionTensor)))) {
    throw CorruptData(
        fmt::format("{} differs from the sine-cosine embedding of a DiT by {}: another kind of position, "
                    "which this model does not have",
                    kPositionTensor, difference));
  }
}

}  // namespace

FlatWeights import_weights(TensorSource& source, const sweeps::TrialSpec& trial) {
  const sweeps::ModelShape shape = trial.shape();
  check_tensor_total(source, shape);
  const FlatLayout layout(*DiT(shape));
  check_tensors(source, layout, shape.model.position);
  check_positions(source, shape);
  FlatWeights result{layout, layout.make_buffer(torch::kCPU)};
  for (const ParameterSlot& slot : layout.slots()) flat_view(result.values, slot).copy_(source.read(slot.name));
  return result;
}

}  // namespace ditscale::worker
