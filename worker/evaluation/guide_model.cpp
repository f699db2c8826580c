#include "worker/evaluation/guide_model.hpp"

#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/commands/checkpoint_argument.hpp"

namespace ditscale::worker {

namespace {

std::string digest_of(const DiT& model) {
  std::string digests;
  for (const auto& parameter : model->named_parameters()) {
    const auto values = parameter.value().detach().to(torch::kCPU).contiguous();
    digests += parameter.key() + " " +
               common::hash_hex128({static_cast<const char*>(values.const_data_ptr()), values.nbytes()}) + "\n";
  }
  return common::hash_hex128(digests);
}

void check(const std::string& argument, const sweeps::TrialSpec& guide, const sweeps::TrialSpec& guided) {
  const auto refuse = [&](const char* what) {
    throw common::ConfigError(
        fmt::format("guide {}: {} differ from those of the model it is to guide; train both on the same data with the "
                    "same objective",
                    argument, what));
  };
  if (guide.input() != guided.input()) refuse("image size, channels or classes");
  if (guide.model.conditioning != guided.model.conditioning) refuse("its conditions");
  const sweeps::ObjectiveSpec &a = guide.objective, &b = guided.objective;
  if (a.kind != b.kind || a.schedule != b.schedule || a.num_timesteps != b.num_timesteps ||
      a.prediction != b.prediction || a.shift != b.shift)
    refuse("kind, schedule, num_timesteps, prediction or shift of the objective");
}

}  // namespace

GuideModel load_guide(const std::string& argument, const sweeps::TrialSpec& guided, torch::Device device) {
  const TrainedModel loaded = load_trained_model(argument, device);
  check(argument, loaded.trial, guided);
  return {loaded.model, loaded.digest(digest_of(loaded.model))};
}

}  // namespace ditscale::worker
