#include <algorithm>
#include <memory>
#include <vector>

#include <ATen/Parallel.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/commands/bench_trial.hpp"
#include "worker/commands/commands.hpp"
#include "worker/distributed/run_in_gang.hpp"
#include "worker/kernels/operations.hpp"
#include "worker/training/train_step.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

struct BenchOptions {
  std::vector<std::string> assignments;
  int steps = 20;
  int threads = 0;
  std::string device = "auto";
  bool reference = false;
  bool no_overlap = false;
  bool json = false;
};

/// Random bytes of the trial's shape: speed does not depend on what the images show.
ImageSet random_images(const sweeps::TrialSpec& trial) {
  if (trial.model.conditioning == sweeps::Conditioning::kEmbeddings)
    throw common::ConfigError("bench shows random images and labels: there are no embeddings for this model");
  const sweeps::InputSpec input = trial.input();
  const std::int64_t count = 4 * trial.train.global_batch;
  ImageSet images;
  images.images = torch::randint(0, 256, {count, input.channels, input.size, input.size}, torch::kUInt8);
  images.labels = torch::randint(0, std::max<std::int64_t>(input.num_classes, 1), {count}, torch::kInt64);
  return images;
}

void wait_for(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

/// Seconds of each step after a few that warm up.
std::vector<double> time_steps(const sweeps::TrialSpec& trial, const BenchOptions& options, Communicator& communicator,
                               torch::Device device, Precision precision) {
  constexpr int kWarmUp = 3;
  const ImageSet images = random_images(trial);
  const BatchSource source(images, trial);
  TrainState state(trial.shape(), 0, device);
  TrainStep step(trial, source, communicator, state, precision,
                 options.no_overlap ? GradientSums::kAfterwards : GradientSums::kOverlapped);
  const common::SystemClock clock;
  std::vector<double> seconds;
  for (int i = 0; i < kWarmUp + options.steps; ++i) {
    const double start_s = clock.monotonic_s();
    if (!step.run(false).finite()) throw common::InternalError("the benchmark's loss is not finite");
    wait_for(device);
    if (i >= kWarmUp) seconds.push_back(clock.monotonic_s() - start_s);
  }
  return seconds;
}

int run(const BenchOptions& options, const Launch& launch) {
  const sweeps::TrialSpec trial = bench_trial(options.assignments);
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(trial.resources.cpus);
  at::set_num_threads(threads);
  use_fused_kernels(!options.reference);
  const torch::Device device = choose_device(options.device, launch.local_rank);
  const Precision precision = choose_precision(trial.train.precision, device);
  const std::unique_ptr<Communicator> communicator = make_communicator(launch, device);
  std::vector<double> seconds =
      run_in_gang(*communicator, [&] { return time_steps(trial, options, *communicator, device, precision); });
  if (!communicator->is_first()) return common::to_int(common::ExitCode::kDone);
  std::sort(seconds.begin(), seconds.end());
  const double median_s = seconds[seconds.size() / 2];
  const double images_per_s = static_cast<double>(trial.train.global_batch) / median_s;
  const Json result{{"model", sweeps::model_label(trial.model)},
                    {"batch", trial.train.global_batch},
                    {"tokens", trial.shape().num_tokens()},
                    {"device", device_name(device)},
                    {"processes", communicator->size()},
                    {"threads", threads},
                    {"precision", to_name(precision)},
                    {"kernels", options.reference ? "reference" : "fused"},
                    {"step_s_median", median_s},
                    {"step_s_min", seconds.front()},
                    {"images_per_s", images_per_s},
                    {"flops_per_s", images_per_s * sweeps::training_flops_per_image(trial.shape())}};
  if (options.json) {
    fmt::print("{}\n", result.dump(2));
  } else {
    fmt::print("{} batch {} on {} ({} × {} threads, {}): {:.1f} images/s, {:.1f} GFLOP/s, {:.2f} ms a step\n",
               result["model"].get<std::string>(), trial.train.global_batch, result["device"].get<std::string>(),
               communicator->size(), threads, to_name(precision), images_per_s,
               result["flops_per_s"].get<double>() * 1e-9, median_s * 1e3);
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_bench_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Time training steps on random images");
  command->add_option("--set", options->assignments,
                      "Change the model or the batch: path=value; model=<name> for a published size");
  command->add_option("--steps", options->steps, "Steps that are timed, after three that are not")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: resources.cpus (2)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_flag("--reference", options->reference, "Plain LibTorch operations instead of the fused kernels");
  command->add_flag("--no-overlap", options->no_overlap,
                    "Sum a gang's gradients after the backward pass instead of during it");
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Example: worker bench --set model=DiT-S/2 --set train.global_batch=16\n"
      "Example: mpirun -n 2 worker bench --set model=DiT-S/2 --threads 8");
  command->callback([options, &context] {
    context.action = [options, &context] { return run(*options, context.environment.launch); };
  });
}

}  // namespace ditscale::worker
