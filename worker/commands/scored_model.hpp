#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/commands/checkpoint_argument.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Weights to be scored, and what scores call them: "ema", "raw" (as the optimiser has them), or an average rebuilt
/// after training, "post_hoc_ema 0.1".
struct ScoredModel {
  std::string weights_name;
  TrainedModel model;
  /// Of the weights, whatever file they came from; of imported ones with the model that they were imported as.
  std::string digest;
};

/// `argument` as for load_trained_model. `weights` is "ema", "raw", or a width such as "0.1": the post-hoc EMA of a
/// trial's folder. Throws ConfigError, UsageError for another word.
[[nodiscard]] ScoredModel load_scored_model(const std::string& argument, const std::string& weights,
                                            torch::Device device);

}  // namespace ditscale::worker
