#include "worker/evaluation/score_settings.hpp"

#include "common/hash.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

void put_reference(Json& settings, const std::optional<ReferenceFacts>& reference) {
  settings["reference"] = reference ? Json(reference->name) : Json(nullptr);
  settings["reference_images"] = reference && reference->num_images ? Json(*reference->num_images) : Json(nullptr);
  settings["reference_digest"] = reference ? Json(reference->digest) : Json(nullptr);
}

}  // namespace

Json score_settings(const sweeps::EvaluateSpec& evaluate, const std::optional<ReferenceFacts>& reference,
                    const HelperDigests& helpers, const std::string& labels, const std::string& weights) {
  Json settings{{"sampler", sweeps::to_name(evaluate.sampler)},
                {"steps", evaluate.steps},
                {"guidance", evaluate.guidance},
                {"guided_channels", "all"},
                {"num_samples", evaluate.num_samples},
                {"sample_seed", evaluate.sample_seed},
                {"labels", labels},
                {"weights", weights},
                {"rounding", "truncate"},
                {"decoder", or_null(helpers.decoder)},
                {"features", evaluate.features},
                {"features_digest", or_null(helpers.features)}};
  put_reference(settings, reference);
  const sweeps::EvaluateSpec neutral;
  if (evaluate.guidance_channels) settings["guided_channels"] = *evaluate.guidance_channels;
  if (evaluate.guidance_from != neutral.guidance_from || evaluate.guidance_to != neutral.guidance_to)
    settings["guidance_interval"] = {evaluate.guidance_from, evaluate.guidance_to};
  if (!helpers.guide.empty()) settings["guide_digest"] = helpers.guide;
  const VaeConfig usual;
  if (helpers.decoder_scaling_factor != usual.scaling_factor)
    settings["decoder_scaling_factor"] = helpers.decoder_scaling_factor;
  if (helpers.decoder_norm_groups != usual.norm_groups) settings["decoder_norm_groups"] = helpers.decoder_norm_groups;
  return settings;
}

Json image_score_settings(const std::string& features, const std::string& features_digest,
                          const std::optional<ReferenceFacts>& reference, std::int64_t num_images) {
  Json settings{{"num_samples", num_images}, {"features", features}, {"features_digest", features_digest}};
  put_reference(settings, reference);
  return settings;
}

std::string settings_id(const Json& full_settings) { return common::hash_hex64(common::canonical_text(full_settings)); }

}  // namespace ditscale::worker
