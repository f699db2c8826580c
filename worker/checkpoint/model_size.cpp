#include "worker/checkpoint/model_size.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

constexpr std::int64_t kBytesPerValue = 4;

/// Tables of sines and cosines in each block, or one embedding.
double position_bytes(const sweeps::ModelShape& shape, const sweeps::ParameterCount& count) {
  const sweeps::ModelSpec& model = shape.model;
  if (model.position != sweeps::PositionKind::kRope)
    return static_cast<double>(kBytesPerValue * (count.total - count.trainable));
  constexpr double kTables = 2;
  return kTables * kBytesPerValue * static_cast<double>(model.depth) * static_cast<double>(shape.num_tokens()) *
         static_cast<double>(model.width / model.heads);
}

}  // namespace

void check_model_size(const std::filesystem::path& file, const sweeps::ModelShape& shape) {
  constexpr double kMostPositions_bytes = 1 << 30;
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(file));
  const sweeps::ParameterCount count = sweeps::count_parameters(shape);
  const std::int64_t needed = kBytesPerValue * count.trainable;
  if (bytes < needed) {
    throw common::CorruptData(
        fmt::format("{}: {} bytes, the model in its header needs {} or more", file.string(), bytes, needed));
  }
  if (position_bytes(shape, count) > std::max(static_cast<double>(bytes), kMostPositions_bytes)) {
    throw common::CorruptData(fmt::format("{}: the {} tokens of the model in its header are too many for its size",
                                          file.string(), shape.num_tokens()));
  }
}

}  // namespace ditscale::worker
