#include "orchestrator/coordinator/score_entry.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace ditscale::orchestrator {

using common::Json;

namespace {

bool has_file(const Json& settings, const char* digest) {
  const auto found = settings.find(digest);
  return found != settings.end() && found->is_string() && !found->get_ref<const std::string&>().empty();
}

bool has_fid(const Json& entry) {
  const Json metrics = entry.value("metrics", Json(sweeps::EvaluateSpec{}.metrics));
  return std::find(metrics.begin(), metrics.end(), "fid") != metrics.end();
}

bool has_labels_of(const Json& settings, const Json& entry) {
  const Json labels = settings.value("labels", Json());
  return labels == entry.value("labels", Json("uniform")) || labels == "training embeddings";
}

bool has_guidance_of(const Json& settings, const Json& entry) {
  const Json channels = entry.value("guidance_channels", Json());
  if (settings.value("guided_channels", Json()) != (channels.is_null() ? Json("all") : channels)) return false;
  const sweeps::EvaluateSpec neutral;
  const Json whole = {neutral.guidance_from, neutral.guidance_to};
  const Json interval = {entry.value("guidance_from", neutral.guidance_from),
                         entry.value("guidance_to", neutral.guidance_to)};
  return settings.value("guidance_interval", whole) == interval &&
         has_file(settings, "guide_digest") == !entry.value("guide", neutral.guide).empty();
}

}  // namespace

bool is_score_of(const Json& settings, const Json& entry) {
  if (!settings.is_object()) return false;
  for (const char* key : {"sampler", "steps", "guidance", "num_samples", "sample_seed", "features"}) {
    if (settings.value(key, Json()) != entry.value(key, Json())) return false;
  }
  return has_labels_of(settings, entry) && has_guidance_of(settings, entry) &&
         has_file(settings, "decoder") == !entry.value("decoder", std::string()).empty() &&
         settings.value("weights", Json()) == "ema";
}

Json settings_of(const sweeps::EvaluateSpec& entry) {
  Json settings = sweeps::to_json(entry);
  settings["guided_channels"] = entry.guidance_channels ? Json(*entry.guidance_channels) : Json("all");
  settings["guidance_interval"] = {entry.guidance_from, entry.guidance_to};
  settings["guide_digest"] = entry.guide;
  settings["weights"] = "ema";
  return settings;
}

bool is_shown_fid(const Json& settings, const Json& entries) {
  std::vector<const Json*> candidates;
  for (const Json& entry : entries) {
    if (has_fid(entry)) candidates.push_back(&entry);
  }
  // There is nothing to mistake it for.
  if (candidates.size() <= 1) return true;
  const auto fits = [&](const Json* entry) { return is_score_of(settings, *entry); };
  return fits(candidates.front()) && std::none_of(candidates.begin() + 1, candidates.end(), fits);
}

}  // namespace ditscale::orchestrator
