#include "worker/evaluation/evaluation_tools.hpp"

#include <utility>

#include "common/error.hpp"
#include "sweeps/spec/evaluate_spec.hpp"
#include "worker/evaluation/scores/score_collector.hpp"
#include "worker/evaluation/training_reference.hpp"

namespace ditscale::worker {

namespace {

/// Whether the scores compare single images of the reference.
bool keeps_features(const sweeps::EvaluateSpec& settings) {
  return ScoreRequest{{settings.metrics.begin(), settings.metrics.end()}}.keeps_features();
}

void check_shape(const std::string& what, const Vae& decoder, const sweeps::TrialSpec& trial) {
  const sweeps::InputSpec samples = trial.input();
  if (decoder.latent_channels() != samples.channels)
    throw common::ConfigError(fmt::format("{}: decodes latents of {} channels, the samples have {}", what,
                                          decoder.latent_channels(), samples.channels));
  const std::int64_t picture_side = samples.size * decoder.downsampling();
  if (picture_side != trial.data.image_size)
    throw common::ConfigError(fmt::format(
        "{}: makes pictures of {} pixels a side of the samples' {}, the images have {}: name the VAE of these latents",
        what, picture_side, samples.size, trial.data.image_size));
}

/// A sample that is divided by another factor than its latents were multiplied with is another picture.
void check_scale(const std::string& what, const Vae& decoder, const ImageSet& train) {
  if (!train.store || !train.store->facts().latents) return;
  const double trained = train.store->facts().scaling_factor;
  if (decoder.scaling_factor() == trained) return;
  throw common::ConfigError(
      fmt::format("{}: its scaling_factor is {}, the training images' latents have {}: give it the config.json of the "
                  "VAE that made them",
                  what, decoder.scaling_factor(), trained));
}

}  // namespace

bool has_latents_here(const sweeps::DataSpec& data) {
  return data.space == sweeps::DataSpace::kLatents && std::filesystem::exists(data.root);
}

void check_decoder(const std::string& what, const Vae& decoder, const sweeps::TrialSpec& trial, const ImageSet& train) {
  check_shape(what, decoder, trial);
  check_scale(what, decoder, train);
}

EvaluationTools::EvaluationTools(const sweeps::TrialSpec& trial, const ImageSet& train_images,
                                 std::filesystem::path cache_folder, torch::Device device, std::function<void()> alive)
    : trial_(trial),
      train_images_(train_images),
      cache_folder_(std::move(cache_folder)),
      device_(device),
      alive_(std::move(alive)) {}

const FeatureNetwork* EvaluationTools::network(const sweeps::EvaluateSpec& settings) {
  if (settings.features == "none") return nullptr;
  auto& network = networks_[settings.features + " " + settings.features_file];
  if (!network) network = make_feature_network(settings.features, settings.features_file, device_);
  return network.get();
}

const Reference* EvaluationTools::reference(const sweeps::EvaluateSpec& settings) {
  if (!sweeps::needs_reference(settings.metrics)) return nullptr;
  const char* kept = keeps_features(settings) ? " with features" : "";
  auto& reference = references_[settings.features + " " + settings.features_file + " " + settings.reference + kept];
  if (!reference) reference = make(settings);
  return reference.get();
}

std::unique_ptr<Reference> EvaluationTools::make(const sweeps::EvaluateSpec& settings) {
  const FeatureNetwork& seen_by = *network(settings);
  if (!settings.reference.empty())
    return std::make_unique<Reference>(load_reference(settings.reference, seen_by, keeps_features(settings)));
  return std::make_unique<Reference>(training_reference(seen_by, trial_.data.name, train_images_, cache_folder_,
                                                        [this](std::int64_t /*done*/) { alive_(); }));
}

const GuideModel* EvaluationTools::guide(const sweeps::EvaluateSpec& settings) {
  if (settings.guide.empty()) return nullptr;
  auto& guide = guides_[settings.guide];
  if (!guide) guide = std::make_unique<GuideModel>(load_guide(settings.guide, trial_, device_));
  return guide.get();
}

const Vae* EvaluationTools::decoder(const sweeps::EvaluateSpec& settings) {
  if (settings.decoder.empty()) return nullptr;
  auto& decoder = decoders_[settings.decoder];
  if (!decoder) {
    decoder = std::make_unique<Vae>(Vae::load(settings.decoder, device_));
    check_decoder("evaluate.decoder " + settings.decoder, *decoder, trial_, train_images_);
  }
  return decoder.get();
}

}  // namespace ditscale::worker
