#include "worker/commands/commands.hpp"

namespace ditscale::worker {

void add_commands(CLI::App& app, Context& context) {
  add_train_command(app, context);
  add_prepare_command(app, context);
  add_sample_command(app, context);
  add_evaluate_command(app, context);
  add_reference_command(app, context);
  add_features_command(app, context);
  add_describe_command(app, context);
  add_devices_command(app, context);
  add_bench_command(app, context);
  add_ema_command(app, context);
  add_import_command(app, context);
  add_export_command(app, context);
  add_forward_command(app, context);
  add_distance_command(app, context);
  add_trace_sampler_command(app, context);
  add_vae_command(app, context);
}

}  // namespace ditscale::worker
