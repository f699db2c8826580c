#include "worker/commands/evaluate_settings.hpp"

#include <utility>

#include "common/json_document.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Every setting with each of the values, the values turning faster; as they were when there are none.
template <typename T>
void multiply(std::vector<Json>& all, const char* key, const std::vector<T>& values) {
  if (values.empty()) return;
  std::vector<Json> product;
  for (const Json& settings : all) {
    for (const T& value : values) {
      product.push_back(settings);
      product.back()[key] = value;
    }
  }
  all = std::move(product);
}

template <typename T>
void put(Json& settings, const char* key, const std::optional<T>& value) {
  if (value) settings[key] = *value;
}

/// The trial's first kind of score, else the usual one.
Json base_of(const sweeps::TrialSpec& trial) {
  if (!trial.evaluate.empty()) return sweeps::to_json(trial.evaluate.front());
  sweeps::EvaluateSpec usual;
  if (trial.objective.kind == sweeps::ObjectiveKind::kFlow) usual.sampler = sweeps::SamplerKind::kEuler;
  return sweeps::to_json(usual);
}

}  // namespace

void EvaluateSettings::add_to(CLI::App& command) {
  command.add_option("--num-samples", num_samples, "Samples to draw")->check(CLI::Range(2, 100000000));
  command.add_option("--sampler", samplers, "ddpm, ddim, dpm_solver; of a flow euler, heun; several: A,B")
      ->delimiter(',')
      ->check(CLI::IsMember(sweeps::choice_names<sweeps::SamplerKind>()));
  command.add_option("--steps", steps, "Sampling steps; several: 16,64,250")->delimiter(',');
  command.add_option("--guidance", guidances, "Guidance scale, 1 is none; several: 1,1.5")->delimiter(',');
  command.add_option("--guidance-channels", guidance_channels, "First channels guided; default: all");
  command
      .add_option("--guidance-interval", guidance_interval,
                  "FROM,TO: guide while the noise level t / num_timesteps lies there; default: 0,1")
      ->delimiter(',')
      ->expected(2);
  command.add_option("--guide", guide,
                     "Weaker model (checkpoint or folder) that guides, in place of the null label (autoguidance)");
  command.add_option("--decoder", decoder, "The VAE's file, which turns latents into images");
  command.add_option("--labels", labels, "uniform (at random) or balanced (in turn)")
      ->check(CLI::IsMember(sweeps::choice_names<sweeps::SampleLabels>()));
  command.add_option("--sample-seed", sample_seeds, "Seed of noise and labels; several: 0,1,2")->delimiter(',');
  command
      .add_option("--features", features,
                  "fashion_cnn, inception, torchscript (a program, which is run), none (samples without scores)")
      ->check(CLI::IsMember({"fashion_cnn", "inception", "torchscript", "none"}));
  command.add_option("--features-file", features_file, "File of the inception or torchscript network");
  command.add_option("--reference", reference,
                     "Statistics to compare with: of `worker reference`, or ADM's npz; default: the training images'");
  command.add_option("--metrics", metrics, "Scores: fid,fid_infinity,kid,precision,recall,sfid,inception_score")
      ->delimiter(',');
}

std::optional<std::string> EvaluateSettings::sampling_option() const {
  if (num_samples) return "--num-samples";
  if (!samplers.empty()) return "--sampler";
  if (!steps.empty()) return "--steps";
  if (!guidances.empty()) return "--guidance";
  if (guidance_channels) return "--guidance-channels";
  if (!guidance_interval.empty()) return "--guidance-interval";
  if (guide) return "--guide";
  if (decoder) return "--decoder";
  if (labels) return "--labels";
  if (!sample_seeds.empty()) return "--sample-seed";
  return std::nullopt;
}

std::vector<sweeps::EvaluateSpec> EvaluateSettings::for_trial(const sweeps::TrialSpec& trial) const {
  Json base = base_of(trial);
  put(base, "num_samples", num_samples);
  put(base, "guidance_channels", guidance_channels);
  if (!guidance_interval.empty()) {
    base["guidance_from"] = guidance_interval[0];
    base["guidance_to"] = guidance_interval[1];
  }
  put(base, "guide", guide);
  put(base, "decoder", decoder);
  put(base, "labels", labels);
  if (features && base["features"] != *features) {
    // Another network's files and scores say nothing of this one.
    for (const char* key : {"features_file", "reference", "metrics"}) base.erase(key);
  }
  put(base, "features", features);
  put(base, "features_file", features_file);
  put(base, "reference", reference);
  if (!metrics.empty()) {
    base["metrics"] = metrics;
    // The trial's is for other scores; one that was given here is refused.
    if (!reference && !sweeps::needs_reference(metrics)) base.erase("reference");
  }
  std::vector<Json> all{base};
  multiply(all, "sampler", samplers);
  multiply(all, "steps", steps);
  multiply(all, "guidance", guidances);
  multiply(all, "sample_seed", sample_seeds);
  common::JsonDocument document;
  document.source = "evaluate";
  document.value = trial.to_json();
  document.value["evaluate"] = all;
  return sweeps::trial_spec_from(document).evaluate;
}

}  // namespace ditscale::worker
