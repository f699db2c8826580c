#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/evaluation/image_grid.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/training/device.hpp"

namespace ditscale::worker {

namespace {

struct SampleOptions {
  std::string model;
  std::string out = "samples.png";
  std::int64_t count = 100;
  std::int64_t columns = 10;
  std::vector<std::int64_t> labels;
  std::string vae;
  SamplerSettings sampler;
  std::string device = "auto";
  int threads = 0;
};

torch::Tensor labels_of(const SampleOptions& options, const Sampler& sampler, const sweeps::ModelShape& shape) {
  if (options.labels.empty()) return sampler.uniform_labels(0, options.count);
  torch::Tensor labels = torch::empty({options.count}, torch::kInt64);
  for (std::int64_t i = 0; i < options.count; ++i) {
    const std::int64_t label = options.labels[static_cast<std::size_t>(i) % options.labels.size()];
    if (label < 0 || label >= shape.label_rows()) {
      throw common::UsageError(fmt::format("--labels {}: the model knows 0 to {}", label, shape.label_rows() - 1));
    }
    labels.data_ptr<std::int64_t>()[i] = label;
  }
  return labels;
}

/// What turns samples into pictures; none where the model makes pictures by itself.
std::optional<Vae> vae_of(const SampleOptions& options, const TrainedModel& model, torch::Device device) {
  const std::int64_t channels = model.trial.input().channels;
  if (options.vae.empty()) {
    if (channels == 1 || channels == 3) return std::nullopt;
    throw common::ConfigError(fmt::format(
        "samples of {} channels are latents: name the weights of their VAE with --vae FILE.safetensors", channels));
  }
  Vae vae = Vae::load(options.vae, device);
  if (vae.latent_channels() != channels) {
    throw common::ConfigError(fmt::format("--vae {}: decodes latents of {} channels, samples of {} have {}",
                                          options.vae, vae.latent_channels(), model.file.string(), channels));
  }
  return vae;
}

torch::Tensor draw(const Sampler& sampler, const torch::Tensor& labels, const Vae* vae,
                   const std::filesystem::path& checkpoint) {
  try {
    return sample_images(sampler, 0, labels, vae);
  } catch (const NotFinite& error) {
    throw NotFinite(
        fmt::format("{}: {}: its weights may have diverged, or the guidance is too large; try an earlier checkpoint or "
                    "--guidance 1",
                    checkpoint.string(), error.what()));
  }
}

int run(const SampleOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::Device device = choose_device(options.device, 0);
  const TrainedModel model = load_trained_model(options.model, device);
  const std::int64_t timesteps = model.trial.objective.num_timesteps;
  if (options.sampler.steps > timesteps) {
    throw common::UsageError(
        fmt::format("--steps {}: the model was trained with {} timesteps", options.sampler.steps, timesteps));
  }
  const std::optional<Vae> vae = vae_of(options, model, device);
  const Sampler sampler(model.model, NoiseSchedule::linear(timesteps), options.sampler, device);
  const torch::Tensor images =
      draw(sampler, labels_of(options, sampler, model.trial.shape()), vae ? &*vae : nullptr, model.file);
  write_png_grid(options.out, images, options.columns);
  fmt::print("{} samples of {} in {}\n", options.count, model.title(), options.out);
  if (vae) fmt::print("decoded by {} (digest {})\n", options.vae, vae->digest());
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_sample_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<SampleOptions>();
  options->sampler.sampler = "ddim";
  options->sampler.steps = 50;
  CLI::App* command =
      app.add_subcommand("sample", "Draw samples from a checkpoint's EMA weights as a grid of pictures");
  command->add_option("model", options->model, "A checkpoint, or a trial's folder (its newest)")->required();
  command->add_option("--out", options->out, "PNG to write")->capture_default_str();
  command->add_option("--num", options->count, "Samples")->check(CLI::Range(1, 100000))->capture_default_str();
  command->add_option("--columns", options->columns, "Pictures in a row")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--labels", options->labels, "Classes, repeated as needed; default: uniformly random")
      ->delimiter(',');
  command->add_option("--vae", options->vae, "Decoder of a latent model's samples: an AutoencoderKL in safetensors");
  command->add_option("--sampler", options->sampler.sampler, "ddpm or ddim")
      ->check(CLI::IsMember({"ddpm", "ddim"}))
      ->capture_default_str();
  command->add_option("--steps", options->sampler.steps, "Sampling steps")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  command->add_option("--guidance", options->sampler.guidance, "Classifier-free guidance; 1 is none")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--seed", options->sampler.seed, "Seed of noise and labels")->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->footer(
      "Example: worker sample runs/demo/trials/0123456789abcdef --labels 0,1,2,3,4,5,6,7,8,9 --guidance 2 --out "
      "grid.png");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
