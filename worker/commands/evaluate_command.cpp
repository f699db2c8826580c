#include <memory>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/evaluator.hpp"
#include "worker/training/device.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

struct EvaluateOptions {
  std::string model;
  std::optional<std::int64_t> num_samples, steps, sample_seed;
  std::optional<double> guidance;
  std::optional<std::int64_t> guidance_channels;
  std::vector<double> guidance_interval;
  std::string guide;
  std::string sampler;
  std::string device = "auto";
  int threads = 0;
  bool json = false;
};

/// The trial's first kind of score, changed by what the command line says; read again so that it is checked like a
/// sweep's.
sweeps::EvaluateSpec settings_of(const EvaluateOptions& options, const sweeps::TrialSpec& trial) {
  sweeps::EvaluateSpec usual;
  if (trial.objective.kind == sweeps::ObjectiveKind::kFlow) usual.sampler = sweeps::SamplerKind::kEuler;
  Json settings = sweeps::to_json(trial.evaluate.empty() ? usual : trial.evaluate.front());
  if (options.num_samples) settings["num_samples"] = *options.num_samples;
  if (options.steps) settings["steps"] = *options.steps;
  if (options.sample_seed) settings["sample_seed"] = *options.sample_seed;
  if (options.guidance) settings["guidance"] = *options.guidance;
  if (options.guidance_channels) settings["guidance_channels"] = *options.guidance_channels;
  if (!options.guidance_interval.empty()) {
    settings["guidance_from"] = options.guidance_interval[0];
    settings["guidance_to"] = options.guidance_interval[1];
  }
  if (!options.guide.empty()) settings["guide"] = options.guide;
  if (!options.sampler.empty()) settings["sampler"] = options.sampler;
  common::JsonDocument document;
  document.source = "evaluate";
  document.value = trial.to_json();
  document.value["evaluate"] = Json::array({settings});
  return sweeps::trial_spec_from(document).evaluate.front();
}

int run(const EvaluateOptions& options, const Environment& environment) {
  listen_for_stop();
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::Device device = choose_device(options.device, 0);
  const TrainedModel model = load_trained_model(options.model, device);
  const sweeps::EvaluateSpec settings = settings_of(options, model.trial);
  const ImageSet images = load_image_set(model.trial.data, Split::kTrain);
  Evaluator evaluator(model.trial, images, environment.cache_folder, device);
  const auto result = evaluator.evaluate(model.model, settings, stop_requested);
  if (!result) return common::to_int(common::ExitCode::kIncomplete);
  if (options.json) {
    fmt::print("{}\n", Json{{"checkpoint", model.file.string()},
                            {"step", model.step_json()},
                            {"settings", result->settings},
                            {"settings_id", result->settings_id},
                            {"values", result->values},
                            {"reason", result->reason},
                            {"seconds", result->seconds},
                            {"sampling_macs", result->sampling_macs}}
                           .dump(2));
  } else {
    fmt::print("{}: {}  [{} samples, {} {} steps, guidance {}, {} features; settings {}]\n", model.title(),
               result->values.dump(), settings.num_samples, sweeps::to_name(settings.sampler), settings.steps,
               settings.guidance, settings.features, result->settings_id);
    if (!result->reason.empty()) fmt::print("{}\n", result->reason);
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_evaluate_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Score a checkpoint's EMA weights; settings are the trial's unless given");
  command->add_option("model", options->model, "A checkpoint, or a trial's folder (its newest)")->required();
  command->add_option("--num-samples", options->num_samples, "Samples to draw")->check(CLI::Range(2, 100000000));
  command->add_option("--sampler", options->sampler, "ddpm, ddim, dpm_solver; of a flow euler, heun")
      ->check(CLI::IsMember(sweeps::choice_names<sweeps::SamplerKind>()));
  command->add_option("--steps", options->steps, "Sampling steps");
  command->add_option("--guidance", options->guidance, "Guidance scale; 1 is none");
  command->add_option("--guidance-channels", options->guidance_channels, "First channels guided; default: all");
  command
      ->add_option("--guidance-interval", options->guidance_interval,
                   "FROM,TO: guide while the noise level t / num_timesteps lies there; default: 0,1")
      ->delimiter(',')
      ->expected(2);
  command->add_option("--guide", options->guide,
                      "Weaker model (checkpoint or folder) that guides, in place of the null label (autoguidance)");
  command->add_option("--sample-seed", options->sample_seed, "Seed of noise and labels");
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Example: worker evaluate runs/demo/trials/0123456789abcdef --num-samples 2000 --steps 50 --guidance 1.5");
  command->callback(
      [options, &context] { context.action = [options, &context] { return run(*options, context.environment); }; });
}

}  // namespace ditscale::worker
