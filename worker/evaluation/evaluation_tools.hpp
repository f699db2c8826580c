#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/guide_model.hpp"
#include "worker/evaluation/scores/reference.hpp"
#include "worker/torch.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

/// Whether the training latents, whose scale a decoder must have, are on this machine.
[[nodiscard]] bool has_latents_here(const sweeps::DataSpec& data);

/// Throws ConfigError, starting with `what`, unless the VAE makes pictures of the trial's images out of its samples: of
/// their channels, their size and, where the latents of `train` say it, their scale.
void check_decoder(const std::string& what, const Vae& decoder, const sweeps::TrialSpec& trial, const ImageSet& train);

/// What the scores of one trial need beside its model, loaded when it is first asked for and kept: feature networks,
/// references, guides and VAEs. Everything throws ConfigError or CorruptData naming the file that does not do.
class EvaluationTools {
 public:
  /// `trial` and `train_images` must outlive the tools; `cache_folder` keeps reference statistics between runs. `alive`
  /// is called again and again while they are made.
  EvaluationTools(const sweeps::TrialSpec& trial, const ImageSet& train_images, std::filesystem::path cache_folder,
                  torch::Device device, std::function<void()> alive);

  /// Null for features "none".
  [[nodiscard]] const FeatureNetwork* network(const sweeps::EvaluateSpec& settings);
  /// Null when no metric compares with anything.
  [[nodiscard]] const Reference* reference(const sweeps::EvaluateSpec& settings);
  /// Null without a guide.
  [[nodiscard]] const GuideModel* guide(const sweeps::EvaluateSpec& settings);
  /// Null for pixels.
  [[nodiscard]] const Vae* decoder(const sweeps::EvaluateSpec& settings);

 private:
  [[nodiscard]] std::unique_ptr<Reference> make(const sweeps::EvaluateSpec& settings);

  const sweeps::TrialSpec& trial_;
  const ImageSet& train_images_;
  std::filesystem::path cache_folder_;
  torch::Device device_;
  std::function<void()> alive_;
  // By name and file.
  std::map<std::string, std::unique_ptr<FeatureNetwork>> networks_;
  std::map<std::string, std::unique_ptr<Reference>> references_;
  std::map<std::string, std::unique_ptr<GuideModel>> guides_;
  std::map<std::string, std::unique_ptr<Vae>> decoders_;
};

}  // namespace ditscale::worker
