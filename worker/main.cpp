#include <cstdlib>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "ditscale_version.hpp"

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/log.hpp"
#include "common/standard_output.hpp"
#include "common/usage_text.hpp"
#include "common/version.hpp"
#include "worker/commands/commands.hpp"

namespace {

using namespace ditscale;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// All that is read from the environment.
worker::Environment read_environment() {
  worker::Environment environment;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    environment.launch.under_mpi = environment.launch.under_mpi || !variable(name).empty();
  }
  for (const char* name : {"SLURM_LOCALID", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"}) {
    if (!variable(name).empty()) environment.launch.local_rank = std::atoi(variable(name).c_str());
  }
  // Slurm numbers the processes of any job step.
  if (!environment.launch.under_mpi) environment.launch.local_rank = 0;
  if (environment.launch.under_mpi) environment.launch.local_size = 0;
  for (const char* name : {"MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"}) {
    if (!variable(name).empty()) environment.launch.local_size = std::atoi(variable(name).c_str());
  }
  const std::string cache = variable("XDG_CACHE_HOME");
  const std::string home = variable("HOME");
  environment.cache_folder = (cache.empty() ? (home.empty() ? "/tmp" : home + "/.cache") : cache) + "/ditscale";
  return environment;
}

/// Activations are freed and taken again each step. By default glibc gives large blocks back to the kernel every time
/// and has them zeroed page by page again; kept in the heap instead, they cost nothing.
void keep_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 64 << 20);
}

int run(int argc, char** argv) {
  keep_large_blocks();
  CLI::App app{"worker: trains, samples and scores one Diffusion Transformer", "worker"};
  app.require_subcommand(1);
  app.failure_message(common::usage_text);
  app.set_version_flag("--version", common::version_text(kVersion, kRevision));
  app.footer("Example: worker describe DiT-XL/2 --json");
  worker::Context context;
  context.environment = read_environment();
  app.add_option("--log-level", context.log_level, "trace, debug, info, warn or error")->capture_default_str();
  worker::add_commands(app, context);
  try {
    app.parse(argc, argv);
    common::start_log("worker", context.log_level);
    return context.action();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : common::to_int(common::ExitCode::kUsage);
  } catch (const common::UsageError& error) {
    std::cerr << "worker: " << error.what() << '\n';
    return common::to_int(common::ExitCode::kUsage);
  } catch (const std::exception& error) {
    std::cerr << "worker: " << error.what() << '\n';
    return common::to_int(common::ExitCode::kError);
  }
}

}  // namespace

int main(int argc, char** argv) { return common::exit_code_after_output("worker", run(argc, argv)); }
