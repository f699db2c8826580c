#include <algorithm>
#include <memory>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/commands/commands.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/training/device.hpp"

namespace ditscale::worker {

using common::ConfigError;

namespace {

struct ForwardOptions {
  std::string model;
  std::string in;
  std::string out;
  std::string weights = "ema";
  std::int64_t batch = 16;
  std::string device = "auto";
  int threads = 0;
};

/// The arrays that a model is evaluated on.
struct ForwardInputs {
  torch::Tensor x;  // (N, C, S, S)
  torch::Tensor t;  // (N)
  torch::Tensor y;  // (N)
  /// (N, L, E) for models conditioned on embeddings, else undefined.
  torch::Tensor context;
};

/// An array whose shape the model decides; `sizes` may leave the first open with -1.
torch::Tensor read_input(const NpzFile& file, const std::string& name, std::vector<std::int64_t> sizes,
                         const std::string& path) {
  if (!file.has(name)) throw ConfigError(fmt::format("{}: array {} is missing", path, name));
  const std::vector<std::int64_t> found = file.header(name).shape;
  if (sizes[0] < 0 && !found.empty()) sizes[0] = std::max<std::int64_t>(found[0], 1);
  if (found != sizes) {
    throw ConfigError(fmt::format("{}: array {} has shape ({}), the model needs ({})", path, name,
                                  fmt::join(found, ", "), fmt::join(sizes, ", ")));
  }
  return file.read(name);
}

void check_range(const torch::Tensor& values, const char* name, double least, double most, const std::string& path) {
  const bool inside = values.ge(least).logical_and(values.le(most)).all().item<bool>();
  if (!inside) throw ConfigError(fmt::format("{}: array {} holds values outside {} to {}", path, name, least, most));
}

/// Labels; with embeddings what is not the null label (-1) keeps them, and all are kept where there is no such array.
torch::Tensor read_label_input(const NpzFile& file, const sweeps::ModelShape& shape, std::int64_t count,
                               const std::string& path) {
  const bool classes = shape.model.conditioning == sweeps::Conditioning::kClass;
  if (!classes && !file.has("y")) return torch::zeros({count}, torch::kInt64);
  const torch::Tensor y = read_input(file, "y", {count}, path);
  if (!at::isIntegralType(y.scalar_type(), /*includeBool=*/false))
    throw ConfigError(fmt::format("{}: array y must hold whole numbers", path));
  if (classes) {
    check_range(y, "y", 0, static_cast<double>(shape.label_rows() - 1), path);
  } else {
    check_range(y, "y", shape.has_null_condition() ? -1 : 0, 1e9, path);
  }
  return y.to(torch::kInt64);
}

ForwardInputs read_inputs(const std::string& path, const sweeps::TrialSpec& trial) {
  const NpzFile file = NpzFile::open(path);
  const sweeps::ModelShape shape = trial.shape();
  const std::int64_t size = shape.input.size;
  ForwardInputs inputs;
  inputs.x = read_input(file, "x", {-1, shape.input.channels, size, size}, path).to(torch::kFloat32);
  const std::int64_t count = inputs.x.size(0);
  inputs.t = read_input(file, "t", {count}, path);
  check_range(inputs.t, "t", 0, static_cast<double>(trial.objective.num_timesteps), path);
  inputs.y = read_label_input(file, shape, count, path);
  if (shape.model.conditioning == sweeps::Conditioning::kEmbeddings) {
    inputs.context = read_input(file, "context", {count, shape.input.context_tokens, shape.input.context_width}, path)
                         .to(torch::kFloat32);
  }
  return inputs;
}

int run(const ForwardOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::Device device = choose_device(options.device, 0);
  TrainedModel model = load_trained_model(options.model, device, options.weights);
  const ForwardInputs inputs = read_inputs(options.in, model.trial);
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> outputs;
  const auto piece = [&](const torch::Tensor& values, std::int64_t first) {
    if (!values.defined()) return values;
    return values.narrow(0, first, std::min(options.batch, values.size(0) - first)).to(device);
  };
  for (std::int64_t first = 0; first < inputs.x.size(0); first += options.batch) {
    const torch::Tensor output = model.model->forward(piece(inputs.x, first), piece(inputs.t, first),
                                                      piece(inputs.y, first), piece(inputs.context, first));
    outputs.push_back(output.to(torch::kCPU));
  }
  const torch::Tensor output = torch::cat(outputs, 0);  // (N, O, S, S)
  write_npz(options.out, {{"output", output}});
  fmt::print("{} of {}: array output ({}) in {}\n", options.weights, model.title(), fmt::join(output.sizes(), ", "),
             options.out);
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_forward_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ForwardOptions>();
  CLI::App* command = app.add_subcommand("forward", "Evaluate a model on arrays of an npz file, in float32");
  command->add_option("model", options->model, "A checkpoint, a trial's folder (its newest), or a weights file")
      ->required();
  command
      ->add_option("in", options->in,
                   "npz with x (N, C, S, S) of numbers, t (N) timesteps, y (N) labels (the number of classes is the "
                   "null label), or context (N, L, E) embeddings")
      ->required();
  command->add_option("out", options->out, "npz to write: output (N, O, S, S), the prediction, then the variance")
      ->required();
  command->add_option("--weights", options->weights, "ema, or the trained weights of a checkpoint")
      ->check(CLI::IsMember({"ema", "weights"}))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Inputs at once")->check(CLI::Range(1, 65536))->capture_default_str();
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->footer("Example: worker forward xl2.h5 in.npz out.npz --device cpu");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
