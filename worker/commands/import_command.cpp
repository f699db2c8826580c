#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/weights/diffusers_config.hpp"
#include "worker/weights/import_weights.hpp"
#include "worker/weights/infer_trial.hpp"
#include "worker/weights/key_rules.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::Json;

namespace {

struct ImportOptions {
  std::string model;
  std::string out;
  std::string key;
  ImportHints hints;
};

/// The tensors' file of a folder as diffusers writes it, of the model alone or of a whole pipeline.
fs::path tensors_file_of(const fs::path& argument) {
  if (!fs::is_directory(argument)) return argument;
  for (const char* folder : {"", "transformer"}) {
    for (const char* name : {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"}) {
      if (fs::exists(argument / folder / name)) return argument / folder / name;
    }
    if (fs::exists(argument / folder / "diffusion_pytorch_model.safetensors.index.json")) {
      throw common::ConfigError(
          fmt::format("{}: a model in several files; save it in one (save_pretrained with a larger max_shard_size)",
                      (argument / folder).string()));
    }
  }
  throw common::ConfigError(
      fmt::format("{}: no diffusion_pytorch_model.safetensors or .bin in it, nor in transformer/", argument.string()));
}

int run(const ImportOptions& options) {
  const fs::path file = tensors_file_of(options.model);
  std::unique_ptr<TensorSource> source = open_tensor_source(file, options.key);
  try {
    source = under_reference_names(std::move(source));
    ImportHints hints = options.hints;
    const auto config = read_diffusers_config(file.parent_path().empty() ? fs::path(".") : file.parent_path());
    if (config) apply_diffusers_config(*config, hints);
    const sweeps::TrialSpec trial = infer_trial(*source, hints);
    const FlatWeights weights = import_weights(*source, trial);
    const Json origin{{"file", file.filename().string()}, {"key", source->key()}, {"digest", file_digest(file)}};
    write_weights_file(options.out, {trial.to_json(), std::nullopt, origin}, weights.layout, weights.values);
    fmt::print("{} ({}) of {} pixels, {} parameters, out of {}{} in {}\n", sweeps::model_label(trial.model),
               sweeps::to_name(trial.model.block), trial.data.image_size,
               sweeps::count_parameters(trial.shape()).trainable, file.string(),
               source->key().empty() ? "" : fmt::format(" (state dict \"{}\")", source->key()), options.out);
  } catch (const common::CorruptData& error) {
    const std::string text = error.what();
    throw common::CorruptData(text.starts_with(file.string()) ? text : fmt::format("{}: {}", file.string(), text));
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_import_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand(
      "import", "Make a weights file out of published weights: .pt, safetensors, or a folder of diffusers");
  command->add_option("model", options->model, "The file or folder; nothing in it is ever executed")->required();
  command->add_option("--out", options->out, "Weights file (HDF5) to write")->required();
  command->add_option("--key", options->key,
                      "State dict inside a .pt: ema, model, a/b …; default: the only one, or ema, model, state_dict");
  command->add_option("--heads", options->hints.heads, "Attention heads, where the model is no published size")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--image-size", options->hints.image_size,
                   "Side of the images in pixels, where the file has no position embedding")
      ->check(CLI::Range(1, 65536));
  command->add_option("--space", options->hints.space, "pixels or latents; default: latents when it has four channels")
      ->check(CLI::IsMember({"pixels", "latents"}));
  command
      ->add_option("--classes", options->hints.classes,
                   "Classes; default: one fewer than the label table has rows (the last is the null label)")
      ->check(CLI::Range(1, 1 << 24));
  command->footer("Example: worker import DiT-XL-2-256x256.pt --out xl2.h5 && worker forward xl2.h5 in.npz out.npz");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
