#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "worker/commands/commands.hpp"

namespace ditscale::worker {

/// Runs `worker` with these arguments in this process. Returns its exit code.
inline int run_worker(const std::string& arguments) {
  CLI::App app;
  Context context;
  add_commands(app, context);
  app.parse(arguments);
  return context.action();
}

}  // namespace ditscale::worker
