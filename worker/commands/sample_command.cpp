#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/evaluation_tools.hpp"
#include "worker/evaluation/gaussian_stats.hpp"
#include "worker/evaluation/guide_model.hpp"
#include "worker/evaluation/image_grid.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/evaluation/shown_embeddings.hpp"
#include "worker/training/device.hpp"

namespace ditscale::worker {

namespace {

struct SampleOptions {
  std::vector<std::string> models;
  std::string out = "samples.png";
  /// Of one model 100; of several as many as columns.
  std::optional<std::int64_t> count;
  std::int64_t columns = 10;
  std::vector<std::int64_t> labels;
  std::string vae;
  /// Empty: ddim, of a flow euler.
  std::string sampler;
  SamplerSettings settings;
  std::vector<double> guidance_interval;
  std::string guide;
  std::string device = "auto";
  int threads = 0;

  /// One row for each model instead of one model's samples row by row.
  [[nodiscard]] bool matrix() const { return models.size() > 1; }
  [[nodiscard]] std::int64_t num_samples() const { return count.value_or(matrix() ? columns : 100); }
  [[nodiscard]] std::int64_t num_columns() const { return matrix() ? num_samples() : columns; }
};

SamplerSettings settings_of(const SampleOptions& options, const sweeps::ObjectiveSpec& objective) {
  SamplerSettings settings = options.settings;
  const bool flow = objective.kind == sweeps::ObjectiveKind::kFlow;
  settings.sampler = options.sampler.empty() ? (flow ? sweeps::SamplerKind::kEuler : sweeps::SamplerKind::kDdim)
                                             : *sweeps::choice_from<sweeps::SamplerKind>(options.sampler);
  if (options.guidance_interval.empty()) return settings;
  settings.guidance.from = options.guidance_interval[0];
  settings.guidance.to = options.guidance_interval[1];
  if (!(0 <= settings.guidance.from && settings.guidance.from <= settings.guidance.to && settings.guidance.to <= 1))
    throw common::UsageError("--guidance-interval: 0 <= FROM <= TO <= 1 is needed");
  return settings;
}

torch::Tensor labels_of(const SampleOptions& options, const Sampler& sampler, const sweeps::ModelShape& shape) {
  const std::int64_t count = options.num_samples();
  if (options.labels.empty()) return sampler.uniform_labels(0, count);
  torch::Tensor labels = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i) {
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
  if (options.vae.empty()) {
    const std::int64_t channels = model.trial.input().channels;
    if (channels == 1 || channels == 3) return std::nullopt;
    throw common::ConfigError(fmt::format(
        "samples of {} channels are latents: name the weights of their VAE with --vae FILE.safetensors", channels));
  }
  Vae vae = Vae::load(options.vae, device);
  const sweeps::DataSpec& data = model.trial.data;
  const ImageSet train = has_latents_here(data) ? load_image_set(data, Split::kTrain) : ImageSet{};
  check_decoder(fmt::format("{}: --vae {}", model.file.string(), options.vae), vae, model.trial, train);
  return vae;
}

/// For models conditioned on embeddings, out of the trial's own data.
torch::Tensor context_of(const SampleOptions& options, const sweeps::TrialSpec& trial) {
  if (trial.model.conditioning != sweeps::Conditioning::kEmbeddings) return {};
  return shown_embeddings(trial, load_image_set(trial.data, Split::kTrain),
                          static_cast<std::int64_t>(options.settings.seed), 0, options.num_samples());
}

torch::Tensor draw(const Sampler& sampler, const torch::Tensor& labels, const torch::Tensor& context, const Vae* vae,
                   const std::filesystem::path& checkpoint) {
  try {
    return sample_images(sampler, 0, labels, vae, context);
  } catch (const NotFinite& error) {
    throw NotFinite(
        fmt::format("{}: {}: its weights may have diverged, or the guidance is too large; try an earlier checkpoint or "
                    "--guidance 1",
                    checkpoint.string(), error.what()));
  }
}

/// The first model's pictures and labels have the say: rows must fit under each other.
void check_fits(const TrainedModel& model, const torch::Tensor& labels, const torch::Tensor& first_labels,
                const torch::Tensor& images, const torch::Tensor& first_images) {
  if (images.sizes() == first_images.sizes() && torch::equal(labels, first_labels)) return;
  throw common::ConfigError(fmt::format(
      "{}: its images or classes are not those of the first model; a sample matrix shows models of the same data",
      model.file.string()));
}

/// The pictures of all models, one below the other, and what was said about them.
class SampleRows {
 public:
  SampleRows(const SampleOptions& options, torch::Device device) : options_(options), device_(device) {}

  void add(const std::string& argument) {
    const TrainedModel model = load_trained_model(argument, device_);
    const std::optional<Vae> vae = vae_of(options_, model, device_);
    const GuideModel guide = options_.guide.empty() ? GuideModel{} : load_guide(options_.guide, model.trial, device_);
    const Sampler sampler(model.model, model.trial.objective, settings_of(options_, model.trial.objective), device_,
                          guide.model);
    const torch::Tensor labels = labels_of(options_, sampler, model.trial.shape());
    images_.push_back(draw(sampler, labels, context_of(options_, model.trial), vae ? &*vae : nullptr, model.file));
    if (images_.size() == 1) {
      labels_ = labels;
    } else {
      check_fits(model, labels, labels_, images_.back(), images_.front());
    }
    rows_.push_back(
        {sweeps::forward_macs(model.trial.shape()), model.step.value_or(0), images_.size() - 1, model.title()});
    last_ = model.title();
    if (vae) decoder_ = fmt::format("decoded by {} (digest {})\n", options_.vae, vae->digest());
  }

  /// The rows of a matrix by compute: that of one forward pass, then the steps trained.
  void write() {
    std::stable_sort(rows_.begin(), rows_.end());
    std::vector<torch::Tensor> ordered;
    for (const Row& row : rows_) {
      ordered.push_back(images_[row.place]);
      if (options_.matrix())
        fmt::print("row {}: {:.4g} Gflops, {}\n", ordered.size(), static_cast<double>(row.forward_macs) / 1e9,
                   row.title);
    }
    write_png_grid(options_.out, torch::cat(ordered), options_.num_columns());
    if (options_.matrix()) {
      const auto* label = labels_.const_data_ptr<std::int64_t>();
      fmt::print("columns: labels {}; the same noise in each\n",
                 fmt::join(std::vector<std::int64_t>(label, label + labels_.numel()), " "));
      fmt::print("{} models, {} samples each, in {}\n", images_.size(), options_.num_samples(), options_.out);
    } else {
      fmt::print("{} samples of {} in {}\n", options_.num_samples(), last_, options_.out);
    }
    fmt::print("{}", decoder_);
  }

 private:
  struct Row {
    std::int64_t forward_macs;
    std::int64_t step;
    std::size_t place;
    std::string title;

    bool operator<(const Row& other) const {
      return std::tie(forward_macs, step) < std::tie(other.forward_macs, other.step);
    }
  };

  const SampleOptions& options_;
  torch::Device device_;
  std::vector<torch::Tensor> images_;
  std::vector<Row> rows_;
  torch::Tensor labels_;
  std::string last_, decoder_;
};

int run(const SampleOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  if (!options.guide.empty() && options.settings.guidance.scale == 1.0)
    throw common::UsageError("--guide: a guidance of 1 asks no guide; give --guidance above 1 too");
  SampleRows rows(options, choose_device(options.device, 0));
  for (const std::string& model : options.models) rows.add(model);
  rows.write();
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_sample_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<SampleOptions>();
  options->settings.steps = 50;
  CLI::App* command =
      app.add_subcommand("sample", "Draw samples from a checkpoint's EMA weights as a grid of pictures");
  command
      ->add_option("models", options->models,
                   "A checkpoint, or a trial's folder (its newest); several: one row of pictures for each, ordered by "
                   "compute, on the same noise and labels")
      ->required();
  command->add_option("--out", options->out, "PNG to write")->capture_default_str();
  command->add_option("--num", options->count, "Samples of each model; default: 100, of several models --columns")
      ->check(CLI::Range(1, 100000));
  command->add_option("--columns", options->columns, "Pictures in a row")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--labels", options->labels, "Classes, repeated as needed; default: uniformly random")
      ->delimiter(',');
  command->add_option("--vae", options->vae, "Decoder of a latent model's samples: an AutoencoderKL in safetensors");
  command
      ->add_option("--sampler", options->sampler, "ddpm, ddim (default), dpm_solver; of a flow euler (default), heun")
      ->check(CLI::IsMember(sweeps::choice_names<sweeps::SamplerKind>()));
  command->add_option("--steps", options->settings.steps, "Sampling steps")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--guidance", options->settings.guidance.scale, "Guidance scale; 1 is none")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--guidance-channels", options->settings.guidance.channels, "First channels guided; default: all")
      ->check(CLI::Range(1, 100000));
  command
      ->add_option("--guidance-interval", options->guidance_interval,
                   "FROM,TO: guide while the noise level t / num_timesteps lies there; default: 0,1")
      ->delimiter(',')
      ->expected(2);
  command->add_option("--guide", options->guide,
                      "Weaker model (checkpoint or folder) that guides, in place of the null label (autoguidance)");
  command->add_option("--seed", options->settings.seed, "Seed of noise and labels")->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->footer(
      "Example: worker sample runs/demo/trials/0123456789abcdef --labels 0,1,2,3,4,5,6,7,8,9 --guidance 2 --out "
      "grid.png\n"
      "Example: worker sample runs/demo/trials/* --out matrix.png");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
