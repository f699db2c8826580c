#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/commands/commands.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

struct DescribeOptions {
  std::string model;
  std::optional<std::int64_t> image_size;
  std::string block;
  std::vector<std::string> assignments;
  bool json = false;
};

common::JsonDocument read_trial(const std::string& file) {
  if (std::filesystem::is_directory(file)) return common::read_json(common::TrialPaths{file}.trial_json());
  if (std::filesystem::exists(file)) return common::read_json(file);
  throw common::UsageError(fmt::format("describe {}: neither a file, a folder nor a published size; those are {}", file,
                                       fmt::join(sweeps::named_model_names(), ", ")));
}

/// A published size is described as the paper trained it: on latents of ImageNet.
common::JsonDocument document_of(const DescribeOptions& options) {
  if (!sweeps::named_model(options.model)) return read_trial(options.model);
  common::JsonDocument document;
  document.source = "describe";
  document.value = {{"model", {{"name", options.model}}}, {"data", {{"name", "imagenet_latents"}}}};
  return document;
}

sweeps::TrialSpec trial_of(const DescribeOptions& options) {
  common::JsonDocument document = document_of(options);
  if (options.image_size) sweeps::set_path(document.value, "data.image_size", *options.image_size, "--image-size");
  if (!options.block.empty()) sweeps::set_path(document.value, "model.block", options.block, "--block");
  for (const std::string& text : options.assignments) {
    auto [path, value] = sweeps::parse_assignment(text);
    sweeps::set_path(document.value, path, std::move(value), "--set " + text);
  }
  return sweeps::trial_spec_from(document);
}

Json description(const sweeps::TrialSpec& trial) {
  const sweeps::ModelShape shape = trial.shape();
  const sweeps::ParameterCount count = sweeps::count_parameters(shape);
  return {{"model", sweeps::model_label(trial.model)},
          {"block", sweeps::to_name(trial.model.block)},
          {"depth", trial.model.depth},
          {"width", trial.model.width},
          {"heads", trial.model.heads},
          {"patch", trial.model.patch},
          {"input", {shape.input.channels, shape.input.size, shape.input.size}},
          {"tokens", shape.num_tokens()},
          {"total_parameters", count.total},
          {"trainable_parameters", count.trainable},
          {"forward_macs", sweeps::forward_macs(shape)},
          {"training_flops_per_image", sweeps::training_flops_per_image(shape)},
          {"training_state_bytes", sweeps::training_state_bytes(shape)}};
}

void print_table(const Json& d) {
  const auto whole = [&](const char* key) { return d.at(key).get<std::int64_t>(); };
  fmt::print("{} ({}): depth {}, width {}, heads {}, patch {}; {} tokens of a {} input\n",
             d.at("model").get<std::string>(), d.at("block").get<std::string>(), whole("depth"), whole("width"),
             whole("heads"), whole("patch"), whole("tokens"), d.at("input").dump());
  fmt::print("{:28}{:>20}\n", "parameters, trainable", whole("trainable_parameters"));
  fmt::print("{:28}{:>20}\n", "parameters, total", whole("total_parameters"));
  fmt::print("{:28}{:>20.4f}  multiply-accumulates, the paper's \"Gflops\"\n", "forward GMACs per image",
             static_cast<double>(whole("forward_macs")) * 1e-9);
  fmt::print("{:28}{:>20.4f}  real operations: 6 per multiply-accumulate\n", "training GFLOPs per image",
             d.at("training_flops_per_image").get<double>() * 1e-9);
  fmt::print("{:28}{:>20.3f}  weights, gradients, two moments, EMA\n", "training state, GiB",
             static_cast<double>(whole("training_state_bytes")) / (1 << 30));
}

int run(const DescribeOptions& options) {
  const Json result = description(trial_of(options));
  if (options.json) {
    fmt::print("{}\n", result.dump(2));
  } else {
    print_table(result);
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_describe_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* command = app.add_subcommand("describe", "Parameters, MACs and memory of a model");
  command
      ->add_option("model", options->model, "A published size (DiT-S/8 … DiT-XL/2), a trial file or a trial's folder")
      ->required();
  command->add_option("--image-size", options->image_size,
                      "Side of the images in pixels (published sizes: 256 or 512)");
  command->add_option("--block", options->block, "adaln_zero, adaln, cross_attention or in_context");
  command->add_option("--set", options->assignments, "Override a field: path=value");
  command->add_flag("--json", options->json, "As JSON");
  command->footer("Example: worker describe DiT-XL/2 --image-size 512 --json");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
