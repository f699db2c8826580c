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
constexpr char kEmbedded[] = "fashion_cnn";

void read_metrics(const Json* metrics, ObjectReader& reader, EvaluateSpec& evaluate) {
  if (metrics == nullptr) return;
  const std::vector<std::string> allowed = allowed_metrics(evaluate.features);
  if (!metrics->is_array() || metrics->empty())
    reader.fail("metrics",
                fmt::format("a list of one or more scores is needed; allowed: {}; for samples without scores "
                            "set features to \"none\"",
                            fmt::join(allowed, ", ")));
  evaluate.metrics.clear();
  for (const Json& metric : *metrics) {
    if (!metric.is_string() || std::find(allowed.begin(), allowed.end(), metric.get<std::string>()) == allowed.end()) {
      reader.fail("metrics", fmt::format("{} is not known of features {}; allowed: {}", common::shown(metric),
                                         evaluate.features, fmt::join(allowed, ", ")));
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
  if (evaluate.guidance_channels == trial.data.channels) evaluate.guidance_channels.reset();
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

void read_network(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get_choice("features", evaluate.features, {kEmbedded, "inception", "torchscript", kNoFeatures});
  reader.get("features_file", evaluate.features_file);
  const bool takes_file = evaluate.features != kEmbedded && evaluate.features != kNoFeatures;
  if (takes_file && evaluate.features_file.empty())
    reader.fail("features_file", fmt::format("the file of the {} network is needed", evaluate.features));
  if (!takes_file && !evaluate.features_file.empty())
    reader.fail("features_file", fmt::format("features \"{}\" take no file; leave it out", evaluate.features));
  if (evaluate.features == kEmbedded && trial.data.name != "fashion_mnist") {
    reader.fail("features", fmt::format("fashion_cnn knows Fashion-MNIST only, the data is {}; allowed: inception, "
                                        "torchscript, none (samples without scores)",
                                        trial.data.name));
  }
  const bool latents = trial.data.space == DataSpace::kLatents;
  if (evaluate.features == "inception" && !latents && trial.data.channels != 3) {
    reader.fail("features", fmt::format("inception sees colour images, the data has {} channels", trial.data.channels));
  }
}

void read_reference(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("reference", evaluate.reference);
  if (!needs_reference(evaluate.metrics)) {
    if (!evaluate.reference.empty())
      reader.fail("reference", "these metrics compare with nothing; leave it out, or add fid");
  } else if (evaluate.reference.empty() && trial.data.space == DataSpace::kLatents) {
    reader.fail("reference",
                "the store holds latents, of which no features can be made: name a file of statistics "
                "(`worker reference` makes one of the images; ADM's npz files are read too)");
  }
}

void read_features(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  read_network(reader, evaluate, trial);
  if (evaluate.features == kNoFeatures) {
    const Json* metrics = reader.child("metrics");
    if (metrics != nullptr && !metrics->empty()) reader.fail("metrics", "scores need features other than \"none\"");
    evaluate.metrics.clear();
  } else {
    read_metrics(reader.child("metrics"), reader, evaluate);
  }
  read_reference(reader, evaluate, trial);
}

void read_decoder(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("decoder", evaluate.decoder);
  const bool latents = trial.data.space == DataSpace::kLatents;
  if (latents && evaluate.decoder.empty())
    reader.fail("decoder", "latents become images through a VAE: give its file here");
  if (!latents && !evaluate.decoder.empty()) reader.fail("decoder", "pixels need no VAE; leave it out");
}

void read_labels(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  read_choice(reader, "labels", evaluate.labels);
  const bool classes = trial.model.conditioning == Conditioning::kClass;
  if (!classes && evaluate.labels != SampleLabels::kUniform)
    reader.fail("labels", "only models conditioned on classes have labels; leave it out");
}

}  // namespace

std::vector<std::string> allowed_metrics(const std::string& features) {
  if (features == kNoFeatures) return {};
  std::vector<std::string> metrics{"fid", "fid_infinity", "kid", "precision", "recall"};
  if (features == "inception") metrics.emplace_back("sfid");
  if (features != "torchscript") metrics.emplace_back("inception_score");
  return metrics;
}

bool needs_reference(const std::vector<std::string>& metrics) {
  return std::any_of(metrics.begin(), metrics.end(), [](const auto& metric) { return metric != "inception_score"; });
}

void read_evaluate(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("every_steps", evaluate.every_steps, kPositive);
  reader.get("num_samples", evaluate.num_samples, Range{2, 1e8});
  read_sampler(reader, evaluate, trial.objective);
  read_guidance(reader, evaluate, trial);
  read_labels(reader, evaluate, trial);
  read_features(reader, evaluate, trial);
  read_decoder(reader, evaluate, trial);
  reader.get("sample_seed", evaluate.sample_seed, Range{0, kLargestWhole});
  reader.get("apart", evaluate.apart);
}

}  // namespace ditscale::sweeps
