#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "common/exit_code.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/commands/commands.hpp"
#include "worker/sampling/sampler.hpp"

namespace ditscale::worker {

namespace {

constexpr std::int64_t kImages = 2;

struct TraceOptions {
  std::vector<std::string> assignments;
  std::string sampler = "ddim";
  SamplerSettings settings;
  std::string out = "trace.json";
};

sweeps::ObjectiveSpec objective_of(const std::vector<std::string>& assignments) {
  common::JsonDocument document;
  document.source = "trace-sampler";
  document.value = {{"data", {{"name", "fashion_mnist"}}}};
  for (const std::string& text : assignments) {
    auto [path, value] = sweeps::parse_assignment(text);
    sweeps::set_path(document.value, path, std::move(value), "--set " + text);
  }
  return sweeps::trial_spec_from(document).objective;
}

/// Small images: three channels, so that a mix-up of channels and variance shows.
sweeps::ModelShape shape_of(const sweeps::ObjectiveSpec& objective) {
  sweeps::ModelShape shape;
  shape.input = {.size = 8, .channels = 3, .num_classes = 10};
  shape.learn_variance = objective.learn_variance;
  return shape;
}

/// What the sampler asked and was answered, in order.
struct Answers {
  std::vector<torch::Tensor> times, outputs;
};

/// A made-up model: 0.6 tanh(x) + 0.3 cos(3 x + t / 100), and sin(2 x + t / 300) for the variance.
Network made_up_model(const sweeps::ObjectiveSpec& objective, Answers& answers) {
  return [learn_variance = objective.learn_variance, &answers](const torch::Tensor& x, const torch::Tensor& t,
                                                               const Conditions& /*conditions*/) {
    const auto time = t.view({-1, 1, 1, 1});
    auto output = 0.6 * torch::tanh(x) + 0.3 * torch::cos(3 * x + time / 100);
    if (learn_variance) output = torch::cat({output, torch::sin(2 * x + time / 300)}, 1);
    answers.times.push_back(t[0]);
    answers.outputs.push_back(output);
    return output;
  };
}

/// float32 values read back bit for bit.
common::Json json_of(const std::vector<torch::Tensor>& tensors) {
  const torch::Tensor all = torch::stack(tensors).contiguous();
  const auto* values = all.const_data_ptr<float>();
  return {{"shape", all.sizes().vec()}, {"values", std::vector<double>(values, values + all.numel())}};
}

int run(TraceOptions options) {
  const sweeps::ObjectiveSpec objective = objective_of(options.assignments);
  options.settings.sampler = *sweeps::choice_from<sweeps::SamplerKind>(options.sampler);
  Answers answers;
  const Sampler sampler(made_up_model(objective, answers), {}, shape_of(objective), objective, options.settings,
                        torch::kCPU);
  std::vector<torch::Tensor> x, noise;
  (void)sampler.sample(0, torch::zeros({kImages}, torch::kInt64), {},
                       [&](std::int64_t, const torch::Tensor& now) { x.push_back(now); });
  for (std::int64_t i = 0; i < options.settings.steps; ++i) {
    const auto stream = static_cast<std::uint32_t>(options.settings.steps - 1 - i);
    noise.push_back(sampler.normals(Purpose::kSampleStep, 0, kImages, stream));
  }
  const common::Json trace{{"x", json_of(x)},
                           {"time", json_of(answers.times)},
                           {"output", json_of(answers.outputs)},
                           {"noise", json_of(noise)}};
  common::write_file_atomically(options.out, trace.dump() + "\n");
  fmt::print("{} steps of {} in {}\n", options.settings.steps, options.sampler, options.out);
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_trace_sampler_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<TraceOptions>();
  options->settings.steps = 20;
  CLI::App* command = app.add_subcommand(
      "trace-sampler", "Write every step of a sampler on a made-up model, to hold it against another implementation");
  command->add_option("--sampler", options->sampler, "ddpm, ddim, dpm_solver; of a flow euler, heun")
      ->check(CLI::IsMember(sweeps::choice_names<sweeps::SamplerKind>()))
      ->capture_default_str();
  command->add_option("--steps", options->settings.steps, "Sampling steps")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--set", options->assignments, "Field of the objective: objective.prediction=v");
  command->add_option("--seed", options->settings.seed, "Seed of start and step noise")->capture_default_str();
  command->add_option("--out", options->out, "JSON to write")->capture_default_str();
  command->footer(
      "The file holds, as shape and values, x (steps + 1, 2, 3, 8, 8) before, between and after the steps; time and "
      "output of every "
      "evaluation of the model; noise, the standard normals that step i of ddpm adds.\n"
      "The model answers 0.6 tanh(x) + 0.3 cos(3 x + t / 100), and sin(2 x + t / 300) for a learned variance.\n"
      "Example: worker trace-sampler --sampler ddpm --steps 50 --set objective.schedule=cosine --out trace.json");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
