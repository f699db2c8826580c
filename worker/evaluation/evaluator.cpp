#include "worker/evaluation/evaluator.hpp"

#include <algorithm>
#include <utility>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/evaluation/frechet.hpp"
#include "worker/evaluation/reference_stats.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/evaluation/shown_embeddings.hpp"

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

struct Evaluator::Guide {
  std::string argument;
  GuideModel model;
};

struct Evaluator::Decoder {
  std::string file;
  Vae vae;
};

Evaluator::Evaluator(const sweeps::TrialSpec& trial, const ImageSet& train_images, std::filesystem::path cache_folder,
                     torch::Device device)
    : trial_(trial), train_images_(train_images), cache_folder_(std::move(cache_folder)), device_(device) {}

Evaluator::~Evaluator() = default;

const Evaluator::Reference* Evaluator::reference(const std::string& features) {
  if (features == "none") return nullptr;
  if (!reference_ || reference_->features != features) {
    auto network = make_feature_network(features);
    GaussianStats statistics = reference_statistics(*network, train_images_, cache_folder_);
    FrechetReference frechet(statistics);
    reference_.reset(new Reference{features, std::move(network), std::move(statistics), std::move(frechet)});
  }
  return reference_.get();
}

const GuideModel* Evaluator::guide(const std::string& argument) {
  if (argument.empty()) return nullptr;
  if (!guide_ || guide_->argument != argument) guide_.reset(new Guide{argument, load_guide(argument, trial_, device_)});
  return &guide_->model;
}

const Vae* Evaluator::decoder(const std::string& file) {
  if (file.empty()) return nullptr;
  if (!decoder_ || decoder_->file != file) {
    Vae vae = Vae::load(file, device_);
    if (vae.latent_channels() != trial_.input().channels) {
      throw common::ConfigError(fmt::format("evaluate.decoder {}: decodes latents of {} channels, the samples have {}",
                                            file, vae.latent_channels(), trial_.input().channels));
    }
    decoder_.reset(new Decoder{file, std::move(vae)});
  }
  return &decoder_->vae;
}

Json Evaluator::full_settings(const sweeps::EvaluateSpec& settings) {
  std::optional<ReferenceFacts> facts;
  if (const Reference* r = reference(settings.features)) {
    facts = {r->network->digest(), trial_.data.name + " train", r->statistics.n, train_images_.digest};
  }
  const GuideModel* weaker = guide(settings.guide);
  const Vae* vae = decoder(settings.decoder);
  const bool embeddings = trial_.model.conditioning == sweeps::Conditioning::kEmbeddings;
  return score_settings(settings, facts, {weaker == nullptr ? "" : weaker->digest, vae == nullptr ? "" : vae->digest()},
                        embeddings ? "training embeddings" : "uniform");
}

double Evaluator::macs_of(const EvaluationCount& evaluated, const GuideModel* weaker) const {
  double macs = static_cast<double>(evaluated.model) * static_cast<double>(sweeps::forward_macs(trial_.shape()));
  if (weaker != nullptr) {
    macs += static_cast<double>(evaluated.guide) * static_cast<double>(sweeps::forward_macs(weaker->model->shape()));
  }
  return macs;
}

std::optional<Evaluation> Evaluator::evaluate(const DiT& model, const sweeps::EvaluateSpec& settings,
                                              const std::function<bool()>& stop) {
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  const Reference* r = reference(settings.features);
  const GuideModel* weaker = guide(settings.guide);
  const Sampler sampler(model, trial_.objective, sampler_settings(settings), device_,
                        weaker == nullptr ? DiT(nullptr) : weaker->model);
  Evaluation result;
  result.settings = full_settings(settings);
  result.settings_id = settings_id(result.settings);
  result.num_samples = settings.num_samples;
  result.values = r == nullptr ? Json::object() : Json{{"fid", nullptr}};
  std::optional<GaussianAccumulator> features;
  if (r != nullptr) features.emplace(r->network->width());
  try {
    if (!draw(sampler, settings, features ? &*features : nullptr, result, stop)) return std::nullopt;
    if (features) {
      const FrechetResult frechet = r->frechet.distance(features->stats());
      result.values["fid"] = frechet.value;
      result.covariance_rank = frechet.rank;
    }
  } catch (const NotFinite& error) {
    result.reason = error.what();
  }
  result.sampling_macs = macs_of(sampler.evaluated(), weaker);
  result.seconds = clock.monotonic_s() - start_s;
  return result;
}

bool Evaluator::draw(const Sampler& sampler, const sweeps::EvaluateSpec& settings, GaussianAccumulator* features,
                     Evaluation& result, const std::function<bool()>& stop) {
  for (std::int64_t first = 0; first < settings.num_samples; first += kSampleBatch) {
    if (stop()) return false;
    const std::int64_t count = std::min(kSampleBatch, settings.num_samples - first);
    const torch::Tensor context = shown_embeddings(trial_, train_images_, settings.sample_seed, first, count);
    const torch::Tensor images =
        sample_images(sampler, first, sampler.uniform_labels(first, count), decoder(settings.decoder), context);
    if (features != nullptr) features->add(reference(settings.features)->network->features(images));
    if (first == 0) result.first_samples = images.narrow(0, 0, std::min(kShown, count));
  }
  return true;
}

}  // namespace ditscale::worker
