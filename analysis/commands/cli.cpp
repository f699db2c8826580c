#include "analysis/commands/cli.hpp"

#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/options.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/usage_text.hpp"
#include "common/version.hpp"

namespace ditscale::analysis {

using common::ExitCode;

namespace {

int parse_and_run(CLI::App& app, const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  // CLI11 takes them in reverse, without the program's name.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
  try {
    app.parse(std::move(reversed));
    return to_int(ExitCode::kDone);
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = error.get_exit_code() == 0;
    app.exit(error, out, err);
    return to_int(asked_for_help ? ExitCode::kDone : ExitCode::kUsage);
  }
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments, const std::string& version, const std::string& revision,
            std::ostream& out, std::ostream& err) {
  Surroundings surroundings{out, err, {version, revision, arguments}};
  CLI::App app("Tables, queries, scaling curves and fits of a sweep's results database.", "analysis");
  app.set_version_flag("--version", common::version_text(version, revision));
  app.require_subcommand(1);
  app.failure_message(common::usage_text);
  app.footer("Example:\n  analysis trials --db runs/fashion_mnist_demo/results.db");
  add_trials_command(app, surroundings);
  add_metrics_command(app, surroundings);
  add_query_command(app, surroundings);
  add_curves_command(app, surroundings);
  add_fit_command(app, surroundings);
  add_isoflop_command(app, surroundings);
  add_frontier_command(app, surroundings);
  add_advice_commands(app, surroundings);
  add_compare_command(app, surroundings);
  add_report_command(app, surroundings);
  add_import_command(app, surroundings);
  add_maintenance_commands(app, surroundings);
  try {
    return parse_and_run(app, arguments, out, err);
  } catch (const common::UsageError& error) {
    err << "analysis: " << error.what() << "\n";
    return to_int(ExitCode::kUsage);
  } catch (const std::exception& error) {
    err << "analysis: " << error.what() << "\n";
    return to_int(ExitCode::kError);
  }
}

}  // namespace ditscale::analysis
