#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::ObjectReader;
using common::Range;

namespace {

/// A flow has no table of timesteps: what would change one is refused, not ignored.
void refuse_ddpm_options(ObjectReader& reader, ObjectiveSpec& objective) {
  const ObjectiveSpec usual;
  const auto refuse = [&](const char* key, bool changed) {
    if (changed) reader.fail(key, "means nothing for kind \"flow\"; leave it out, or take kind \"ddpm\"");
  };
  if (!reader.has("learn_variance")) objective.learn_variance = false;
  refuse("learn_variance", objective.learn_variance);
  refuse("schedule", objective.schedule != usual.schedule);
  refuse("prediction", objective.prediction != usual.prediction);
  refuse("fixed_variance", objective.fixed_variance != usual.fixed_variance);
  refuse("min_snr_gamma", objective.min_snr_gamma.has_value());
}

void refuse_flow_options(ObjectReader& reader, const ObjectiveSpec& objective) {
  const ObjectiveSpec usual;
  const auto refuse = [&](const char* key, bool changed) {
    if (changed) reader.fail(key, "means nothing for kind \"ddpm\"; leave it out, or take kind \"flow\"");
  };
  refuse("time", objective.time != usual.time);
  if (objective.learn_variance && objective.fixed_variance != usual.fixed_variance)
    reader.fail("fixed_variance", "means nothing while learn_variance is true; set that to false");
}

}  // namespace

void read_objective(ObjectReader& reader, ObjectiveSpec& objective) {
  read_choice(reader, "kind", objective.kind);
  read_choice(reader, "schedule", objective.schedule);
  reader.get("num_timesteps", objective.num_timesteps, Range{2, 100'000});
  reader.get("learn_variance", objective.learn_variance);
  read_choice(reader, "prediction", objective.prediction);
  read_choice(reader, "fixed_variance", objective.fixed_variance);
  reader.get("shift", objective.shift, Range{0.01, 100});
  reader.get("min_snr_gamma", objective.min_snr_gamma, Range{0, 1e6, true});
  read_choice(reader, "time", objective.time);
  reader.get("time_mean", objective.time_mean, Range{-10, 10});
  reader.get("time_deviation", objective.time_deviation, Range{0, 10, true});
  if (objective.kind == ObjectiveKind::kFlow) {
    refuse_ddpm_options(reader, objective);
  } else {
    refuse_flow_options(reader, objective);
  }
  const ObjectiveSpec usual;
  if (objective.time != FlowTime::kLogitNormal &&
      (objective.time_mean != usual.time_mean || objective.time_deviation != usual.time_deviation))
    reader.fail("time", "time_mean and time_deviation belong to time \"logit_normal\" (kind \"flow\")");
}

}  // namespace ditscale::sweeps
