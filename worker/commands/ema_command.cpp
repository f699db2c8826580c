#include <memory>
#include <optional>

#include <fmt/format.h>

#include "common/exit_code.hpp"
#include "worker/checkpoint/post_hoc_average.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/training/power_ema.hpp"

namespace ditscale::worker {

namespace {

struct EmaOptions {
  std::string trial;
  double sigma_rel = 0.1;
  std::optional<std::int64_t> step;
  std::string out = "ema.h5";
};

int run(const EmaOptions& options) {
  const PostHocAverage average = rebuild_average(options.trial, options.sigma_rel, options.step);
  const common::Json origin{{"ema_sigma_rel", options.sigma_rel}, {"ema_snapshots", average.num_snapshots}};
  write_weights_file(options.out, {average.trial, average.step, origin}, average.layout, average.values);
  fmt::print("{}: average of relative width {} after step {}, rebuilt from {} snapshots\n", options.out,
             options.sigma_rel, average.step, average.num_snapshots);
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_ema_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<EmaOptions>();
  CLI::App* command = app.add_subcommand(
      "ema", "Rebuild an average of the weights of any width from a trial's snapshots (post-hoc EMA)");
  command->add_option("trial", options->trial, "A trial's folder")->required();
  command->add_option("--sigma-rel", options->sigma_rel, "Width of the average over the length of training")
      ->check(CLI::Range(0.005, kLargestSigmaRel))
      ->capture_default_str();
  command->add_option("--step", options->step, "As of this step; default: the last snapshot's");
  command->add_option("--out", options->out, "Weights file to write")->capture_default_str();
  command->footer("Example: worker ema runs/study/trials/0123456789abcdef --sigma-rel 0.07 --out wide.h5");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
