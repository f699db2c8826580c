#include "worker/evaluation/score_settings.hpp"

#include "common/hash.hpp"

namespace ditscale::worker {

using common::Json;

Json score_settings(const sweeps::EvaluateSpec& evaluate, const std::optional<ReferenceFacts>& reference,
                    const HelperDigests& helpers, const std::string& labels) {
  Json settings{{"sampler", sweeps::to_name(evaluate.sampler)},
                {"steps", evaluate.steps},
                {"guidance", evaluate.guidance},
                {"guided_channels", "all"},
                {"num_samples", evaluate.num_samples},
                {"sample_seed", evaluate.sample_seed},
                {"labels", labels},
                {"weights", "ema"},
                {"rounding", "truncate"},
                {"decoder", nullptr},
                {"features", evaluate.features},
                {"features_digest", nullptr},
                {"reference", nullptr},
                {"reference_images", nullptr},
                {"reference_digest", nullptr}};
  if (reference) {
    settings["features_digest"] = reference->features_digest;
    settings["reference"] = reference->name;
    settings["reference_images"] = reference->num_images;
    settings["reference_digest"] = reference->digest;
  }
  const sweeps::EvaluateSpec neutral;
  if (evaluate.guidance_channels) settings["guided_channels"] = *evaluate.guidance_channels;
  if (evaluate.guidance_from != neutral.guidance_from || evaluate.guidance_to != neutral.guidance_to)
    settings["guidance_interval"] = {evaluate.guidance_from, evaluate.guidance_to};
  if (!helpers.guide.empty()) settings["guide_digest"] = helpers.guide;
  if (!helpers.decoder.empty()) settings["decoder"] = helpers.decoder;
  return settings;
}

std::string settings_id(const Json& full_settings) { return common::hash_hex64(common::canonical_text(full_settings)); }

}  // namespace ditscale::worker
