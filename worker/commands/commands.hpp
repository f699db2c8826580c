#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "worker/distributed/communicator.hpp"

namespace ditscale::worker {

/// What main read from the environment.
struct Environment {
  Launch launch;
  /// Where reference statistics are kept between runs.
  std::filesystem::path cache_folder;
};

/// Shared by the subcommands: what they are given, and the action that the chosen one leaves for main to run; it
/// returns the exit code.
struct Context {
  Environment environment;
  std::string log_level = "info";
  std::function<int()> action;
};

/// Each adds one subcommand. `context` must outlive the app.
void add_train_command(CLI::App& app, Context& context);
void add_prepare_command(CLI::App& app, Context& context);
void add_sample_command(CLI::App& app, Context& context);
void add_evaluate_command(CLI::App& app, Context& context);
void add_reference_command(CLI::App& app, Context& context);
void add_features_command(CLI::App& app, Context& context);
void add_describe_command(CLI::App& app, Context& context);
void add_devices_command(CLI::App& app, Context& context);
void add_bench_command(CLI::App& app, Context& context);
void add_ema_command(CLI::App& app, Context& context);
void add_import_command(CLI::App& app, Context& context);
void add_export_command(CLI::App& app, Context& context);
void add_forward_command(CLI::App& app, Context& context);
void add_distance_command(CLI::App& app, Context& context);
void add_trace_sampler_command(CLI::App& app, Context& context);
void add_vae_command(CLI::App& app, Context& context);

void add_commands(CLI::App& app, Context& context);

}  // namespace ditscale::worker
