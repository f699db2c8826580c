#include "worker/commands/scored_model.hpp"

#include <filesystem>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/text.hpp"
#include "worker/checkpoint/post_hoc_average.hpp"
#include "worker/training/power_ema.hpp"

namespace ditscale::worker {

namespace {

std::string digest_of(const torch::Tensor& weights) {
  const torch::Tensor values = weights.cpu().contiguous();
  return common::hash_hex128({static_cast<const char*>(values.const_data_ptr()), values.nbytes()});
}

double width_in(const std::string& text) {
  const auto width = common::number_from<double>(text);
  if (!width || !(*width > 0) || *width > kLargestSigmaRel) {
    throw common::UsageError(fmt::format("--weights {}: ema, raw, or a width of the post-hoc EMA up to {} is needed",
                                         text, kLargestSigmaRel));
  }
  return *width;
}

}  // namespace

ScoredModel load_scored_model(const std::string& argument, const std::string& weights, torch::Device device) {
  const bool stored = weights == "ema" || weights == "raw";
  const double width = stored ? 0 : width_in(weights);
  ScoredModel result{weights, load_trained_model(argument, device, weights == "raw" ? "weights" : "ema"), {}};
  if (!stored) {
    if (!std::filesystem::is_directory(argument))
      throw common::ConfigError(
          fmt::format("--weights {}: needs a trial's folder with its snapshots, {} is a file", weights, argument));
    TrainedModel& model = result.model;
    const PostHocAverage average = rebuild_average(argument, width);
    model.weights.copy_(average.values);  // the model's parameters are views into it
    model.step = average.step;
    result.weights_name = fmt::format("post_hoc_ema {}", width);
  }
  result.digest = result.model.digest(digest_of(result.model.weights));
  return result;
}

}  // namespace ditscale::worker
