#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::Json;
using common::ObjectReader;
using common::Range;

namespace {

constexpr char kNoFeatures[] = "none";

void read_metrics(const Json* metrics, ObjectReader& reader, EvaluateSpec& evaluate) {
  if (metrics == nullptr) return;
  const std::vector<std::string> allowed{"fid"};
  if (!metrics->is_array() || metrics->empty())
    reader.fail(
        "metrics",
        "a list of one or more scores is needed; allowed: fid; for samples without scores set features to \"none\"");
  evaluate.metrics.clear();
  for (const Json& metric : *metrics) {
    if (!metric.is_string() || std::find(allowed.begin(), allowed.end(), metric.get<std::string>()) == allowed.end()) {
      reader.fail("metrics",
                  fmt::format("{} is not known here; allowed: {}", common::shown(metric), fmt::join(allowed, ", ")));
    }
    if (std::find(evaluate.metrics.begin(), evaluate.metrics.end(), metric) != evaluate.metrics.end())
      reader.fail("metrics", fmt::format("{} stands twice", common::shown(metric)));
    evaluate.metrics.push_back(metric.get<std::string>());
  }
}

std::vector<std::string> samplers_of(const ObjectiveSpec& objective) {
  if (objective.kind == ObjectiveKind::kFlow) return {"euler", "heun"};
  return {"ddpm", "ddim", "dpm_solver"};
}

void read_sampler(ObjectReader& reader, EvaluateSpec& evaluate, const ObjectiveSpec& objective) {
  const std::vector<std::string> allowed = samplers_of(objective);
  std::string sampler = allowed.front();
  reader.get_choice("sampler", sampler, allowed);
  evaluate.sampler = *choice_from<SamplerKind>(sampler);
  const bool flow = objective.kind == ObjectiveKind::kFlow;
  reader.get("steps", evaluate.steps, Range{flow ? 1.0 : 2.0, 100'000});
  if (!flow && evaluate.steps > objective.num_timesteps) {
    reader.fail("steps", fmt::format("{} sampling steps exceed the {} timesteps of the objective", evaluate.steps,
                                     objective.num_timesteps));
  }
}

void read_guidance(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("guidance", evaluate.guidance, Range{0, 100});
  reader.get("guidance_channels", evaluate.guidance_channels, Range{1, static_cast<double>(trial.data.channels)});
  reader.get("guidance_from", evaluate.guidance_from, Range{0, 1});
  reader.get("guidance_to", evaluate.guidance_to, Range{0, 1});
  reader.get("guide", evaluate.guide);
  if (evaluate.guidance_from > evaluate.guidance_to)
    reader.fail("guidance_from",
                fmt::format("{} lies above guidance_to {}", evaluate.guidance_from, evaluate.guidance_to));
  if (evaluate.guidance == 1.0) {
    // At 1 guidance leaves the prediction as it is, whatever guides where: so that a sweep over the scale may have
    // its 1.
    const EvaluateSpec none;
    evaluate.guidance_channels = none.guidance_channels;
    evaluate.guidance_from = none.guidance_from;
    evaluate.guidance_to = none.guidance_to;
    evaluate.guide = none.guide;
  } else if (evaluate.guide.empty() && !trial.shape().has_null_condition()) {
    reader.fail("guidance", trial.model.conditioning == Conditioning::kNone
                                ? "a model without conditioning is guided by a weaker model only; set guide"
                                : "guidance needs the null label, which model.class_dropout 0 removes; allowed: 1");
  }
}

void read_features(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get_choice("features", evaluate.features, {"fashion_cnn", kNoFeatures});
  if (evaluate.features == "fashion_cnn" && trial.data.name != "fashion_mnist") {
    reader.fail("features", fmt::format("fashion_cnn knows Fashion-MNIST only, the data is {}; allowed: none (samples "
                                        "without scores)",
                                        trial.data.name));
  }
  if (evaluate.features == kNoFeatures) {
    const Json* metrics = reader.child("metrics");
    if (metrics != nullptr && !metrics->empty()) reader.fail("metrics", "scores need features other than \"none\"");
    evaluate.metrics.clear();
  } else {
    read_metrics(reader.child("metrics"), reader, evaluate);
  }
  reader.get("decoder", evaluate.decoder);
  const bool latents = trial.data.space == DataSpace::kLatents;
  if (latents && evaluate.decoder.empty())
    reader.fail("decoder", "latents become images through a VAE: give its file here");
  if (!latents && !evaluate.decoder.empty()) reader.fail("decoder", "pixels need no VAE; leave it out");
}

}  // namespace

void read_evaluate(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("every_steps", evaluate.every_steps, kPositive);
  reader.get("num_samples", evaluate.num_samples, Range{2, 1e8});
  read_sampler(reader, evaluate, trial.objective);
  read_guidance(reader, evaluate, trial);
  read_features(reader, evaluate, trial);
  reader.get("sample_seed", evaluate.sample_seed, Range{0, kLargestWhole});
}

}  // namespace ditscale::sweeps
