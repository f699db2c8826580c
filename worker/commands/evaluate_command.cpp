#include <cstdio>
#include <memory>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/commands/commands.hpp"
#include "worker/commands/evaluate_job.hpp"
#include "worker/distributed/run_in_gang.hpp"
#include "worker/training/device.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

namespace {

bool evaluate(const EvaluateOptions& options, const Environment& environment, torch::Device device,
              Communicator& communicator) {
  if (is_model(options.what)) return evaluate_model(options, environment, device, communicator);
  if (communicator.size() > 1)
    throw common::UsageError("images are scored by one process: run worker evaluate without mpirun");
  return evaluate_images(options, environment, device);
}

int run(const EvaluateOptions& options, const Environment& environment) {
  listen_for_stop();
  if (options.threads > 0) at::set_num_threads(options.threads);
  const torch::Device device = choose_device(options.device, environment.launch.local_rank);
  const std::unique_ptr<Communicator> communicator = make_communicator(environment.launch, device);
  const bool done = run_in_gang(*communicator, [&] { return evaluate(options, environment, device, *communicator); });
  if (done) return common::to_int(common::ExitCode::kDone);
  if (communicator->is_first())
    fmt::print(stderr, "worker: stopped; the same command {}\n", is_model(options.what) ? "goes on" : "starts anew");
  return common::to_int(common::ExitCode::kIncomplete);
}

}  // namespace

void add_evaluate_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = app.add_subcommand("evaluate",
                                         "Score a model, or images. A model's settings are its trial's unless given; "
                                         "lists of them are scored one after the "
                                         "other; stopped, the same command goes on, of images anew");
  command
      ->add_option(
          "what", options->what,
          "A checkpoint, or a trial's folder (its newest); or images: a folder, an npz of samples, an IDX file, "
          "a store of pixels")
      ->required();
  command
      ->add_option("--weights", options->weights,
                   "ema, raw, or widths of the post-hoc EMA (0.05,0.1), of a trial's folder")
      ->delimiter(',')
      ->capture_default_str();
  options->settings.add_to(*command);
  command->add_option("--out", options->out,
                      "JSON file that collects the scores; a model's that stand in it are not made again");
  command->add_option("--samples", options->samples,
                      "npz file for the samples: arr_0 uint8 (N, H, W, C), as ADM's evaluation suite reads them");
  command->add_option("--device", options->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 4 stopped (run again).\n"
      "Example: worker evaluate runs/demo/trials/0123456789abcdef --num-samples 2000 --steps 16,64,250 --guidance "
      "1,1.5 "
      "--out scores.json\n"
      "Example: mpirun -n 8 worker evaluate step-400000.h5 --features inception --features-file "
      "pt_inception-2015-12-05-6726825d.pth --reference VIRTUAL_imagenet256_labeled.npz\n"
      "Example: worker evaluate samples.npz --features fashion_cnn --metrics fid,kid");
  command->callback(
      [options, &context] { context.action = [options, &context] { return run(*options, context.environment); }; });
}

}  // namespace ditscale::worker
