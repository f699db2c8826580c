#include "worker/evaluation/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "sweeps/spec/cost.hpp"
#include "worker/evaluation/frechet.hpp"
#include "worker/evaluation/reference_stats.hpp"
#include "worker/evaluation/sample_images.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Samples kept for a picture; at most one batch.
constexpr std::int64_t kShown = 100;

}  // namespace

struct Evaluator::Reference {
  std::string features;
  std::unique_ptr<FeatureNetwork> network;
  GaussianStats statistics;
  FrechetReference frechet;
};

Evaluator::Evaluator(const sweeps::TrialSpec& trial, const ImageSet& train_images, std::filesystem::path cache_folder,
                     torch::Device device)
    : trial_(trial), train_images_(train_images), cache_folder_(std::move(cache_folder)), device_(device) {}

Evaluator::~Evaluator() = default;

Evaluator::Reference& Evaluator::reference(const std::string& features) {
  if (!reference_ || reference_->features != features) {
    auto network = make_feature_network(features);
    GaussianStats statistics = reference_statistics(*network, train_images_, cache_folder_);
    FrechetReference frechet(statistics);
    reference_.reset(new Reference{features, std::move(network), std::move(statistics), std::move(frechet)});
  }
  return *reference_;
}

Json Evaluator::full_settings(const sweeps::EvaluateSpec& settings) {
  const Reference& r = reference(settings.features);
  return {{"sampler", sweeps::to_name(settings.sampler)},
          {"steps", settings.steps},
          {"guidance", settings.guidance},
          {"guided_channels", "all"},
          {"num_samples", settings.num_samples},
          {"sample_seed", settings.sample_seed},
          {"labels", "uniform"},
          {"weights", "ema"},
          {"rounding", "truncate"},
          {"decoder", nullptr},
          {"features", settings.features},
          {"features_digest", r.network->digest()},
          {"reference", trial_.data.name + " train"},
          {"reference_images", r.statistics.n},
          {"reference_digest", train_images_.digest}};
}

std::string settings_id(const Json& full_settings) { return common::hash_hex64(common::canonical_text(full_settings)); }

std::optional<Evaluation> Evaluator::evaluate(const DiT& model, const sweeps::EvaluateSpec& settings,
                                              const std::function<bool()>& stop) {
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  const Reference& r = reference(settings.features);
  Evaluation result;
  result.settings = full_settings(settings);
  result.settings_id = settings_id(result.settings);
  result.num_samples = settings.num_samples;
  result.sampling_macs = sweeps::sampling_macs(trial_, settings);
  result.values = {{"fid", nullptr}};
  GaussianAccumulator accumulator(r.network->width());
  try {
    if (!draw(model, settings, accumulator, result.first_samples, stop)) return std::nullopt;
    const FrechetResult frechet = r.frechet.distance(accumulator.stats());
    result.values["fid"] = frechet.value;
    result.covariance_rank = frechet.rank;
  } catch (const NotFinite& error) {
    result.reason = error.what();
  }
  result.seconds = clock.monotonic_s() - start_s;
  return result;
}

bool Evaluator::draw(const DiT& model, const sweeps::EvaluateSpec& settings, GaussianAccumulator& features,
                     torch::Tensor& first_samples, const std::function<bool()>& stop) {
  const SamplerSettings sampling{std::string(sweeps::to_name(settings.sampler)), settings.steps, settings.guidance,
                                 static_cast<std::uint64_t>(settings.sample_seed)};
  const Sampler sampler(model, NoiseSchedule::linear(trial_.objective.num_timesteps), sampling, device_);
  for (std::int64_t first = 0; first < settings.num_samples; first += kSampleBatch) {
    if (stop()) return false;
    const std::int64_t count = std::min(kSampleBatch, settings.num_samples - first);
    const torch::Tensor images = sample_images(sampler, first, sampler.uniform_labels(first, count));
    features.add(reference(settings.features).network->features(images));
    if (first == 0) first_samples = images.narrow(0, 0, std::min(kShown, count));
  }
  return true;
}

}  // namespace ditscale::worker
