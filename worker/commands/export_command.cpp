#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/commands/commands.hpp"
#include "worker/weights/diffusers_config.hpp"
#include "worker/weights/export_weights.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

struct ExportOptions {
  std::string model;
  std::string out;
  std::string layout = "reference";
  std::string weights = "ema";
};

/// What a loader reads without help: of diffusers a folder with config.json, else one file.
fs::path write_export(const ExportOptions& options, const TrainedModel& model) {
  const TextMap metadata{{"format", "pt"}, {kTrialMetadata, model.trial.to_json().dump()}};
  if (options.layout == "reference") {
    write_safetensors(options.out, reference_tensors(model.layout, model.weights, model.trial), metadata);
    return options.out;
  }
  const NamedTensors tensors = diffusers_tensors(model.layout, model.weights, model.trial);
  const fs::path out = options.out;
  if (out.extension() == ".safetensors") {
    write_safetensors(out, tensors, metadata);
    return out;
  }
  common::make_folder(out);
  const fs::path file = out / "diffusion_pytorch_model.safetensors";
  write_safetensors(file, tensors, metadata);
  common::write_file_atomically(out / "config.json", diffusers_config(model.trial).dump(2) + "\n");
  return file;
}

int run(const ExportOptions& options) {
  const TrainedModel model = load_trained_model(options.model, torch::kCPU, options.weights);
  const fs::path file = write_export(options, model);
  fmt::print("{} of {} in {}, {} layout\n", options.weights, model.title(), file.string(), options.layout);
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_export_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a model's weights as safetensors");
  command->add_option("model", options->model, "A checkpoint, a trial's folder (its newest), or a weights file")
      ->required();
  command
      ->add_option("--out", options->out,
                   "File to write; for diffusers also a folder, which gets config.json and can be given to "
                   "from_pretrained")
      ->required();
  command->add_option("--layout", options->layout, "reference (the released DiT's names) or diffusers")
      ->check(CLI::IsMember({"reference", "diffusers"}))
      ->capture_default_str();
  command->add_option("--weights", options->weights, "ema, or the trained weights of a checkpoint")
      ->check(CLI::IsMember({"ema", "weights"}))
      ->capture_default_str();
  command->footer("Example: worker export runs/demo/trials/0123456789abcdef --out demo.safetensors");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
