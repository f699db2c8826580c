#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/evaluation/guide_model.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/model/dit.hpp"
#include "worker/sampling/sampler.hpp"
#include "worker/torch.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

/// One set of scores and everything that makes it comparable with another.
struct Evaluation {
  /// See score_settings.
  common::Json settings;
  std::string settings_id;
  /// Score name → number, or null. Empty when the samples are only to be looked at.
  common::Json values;
  /// Why a value is null; empty otherwise.
  std::string reason;
  std::int64_t num_samples = 0;
  /// Rank of the samples' covariance: below the number of features it is singular, and FID biased upwards.
  std::int64_t covariance_rank = 0;
  double seconds = 0;
  /// Multiply-accumulates of all images that went through the model and its guide.
  double sampling_macs = 0;
  /// The first samples, (n, C, S, S) uint8: something to look at.
  torch::Tensor first_samples;
};

/// Scores models of one trial: samples, features, Fréchet distance to the training set. Loads network, reference,
/// guide and VAE once. A model conditioned on embeddings is shown those of training images, drawn by the sample seed.
class Evaluator {
 public:
  /// `train_images` must outlive the evaluator; `cache_folder` keeps reference statistics between runs.
  Evaluator(const sweeps::TrialSpec& trial, const ImageSet& train_images, std::filesystem::path cache_folder,
            torch::Device device);
  ~Evaluator();

  /// Empty when `stop()` became true on the way.
  [[nodiscard]] std::optional<Evaluation> evaluate(const DiT& model, const sweeps::EvaluateSpec& settings,
                                                   const std::function<bool()>& stop);

  /// The settings as a score made with `settings` would record them.
  [[nodiscard]] common::Json full_settings(const sweeps::EvaluateSpec& settings);

 private:
  struct Reference;
  struct Guide;
  struct Decoder;
  /// Null for features "none".
  const Reference* reference(const std::string& features);
  /// Null without a guide.
  const GuideModel* guide(const std::string& argument);
  /// Null for pixels.
  const Vae* decoder(const std::string& file);
  /// Draws the samples and collects their features, where there is a network; false when `stop()` became true. Throws
  /// NotFinite.
  bool draw(const Sampler& sampler, const sweeps::EvaluateSpec& settings, GaussianAccumulator* features,
            Evaluation& result, const std::function<bool()>& stop);
  [[nodiscard]] double macs_of(const EvaluationCount& evaluated, const GuideModel* guide) const;

  const sweeps::TrialSpec& trial_;
  const ImageSet& train_images_;
  std::filesystem::path cache_folder_;
  torch::Device device_;
  std::unique_ptr<Reference> reference_;
  std::unique_ptr<Guide> guide_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace ditscale::worker
