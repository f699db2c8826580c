#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "analysis/figures/write_figure.hpp"
#include "analysis/queries/study.hpp"
#include "analysis/tables/table.hpp"

namespace CLI {
class App;
}

namespace ditscale::analysis {

/// What every command needs from its surroundings.
struct Surroundings {
  std::ostream& out;
  std::ostream& notes;
  Provenance provenance;
};

/// Where the database is; shared by all commands.
struct DatabaseOptions {
  std::string db;
  std::string runs = "runs";
  std::string sweep;

  void add_to(CLI::App& command);
  [[nodiscard]] std::filesystem::path path() const { return find_database(db, runs, sweep); }
};

/// How a table is printed.
struct FormatOptions {
  std::string format = "table";
  bool json = false;

  void add_to(CLI::App& command);
  /// --json wins over --format.
  [[nodiscard]] Format chosen() const {
    const Format named = format_from(format);  // refused even where --json wins
    return json ? Format::kJson : named;
  }
};

/// Where figures go; shared by all commands that draw.
struct FigureOptions {
  std::string out;
  std::string size{kDefaultSize};

  void add_to(CLI::App& command);
  /// Whether files were asked for.
  [[nodiscard]] bool wanted() const { return !out.empty(); }
};

/// One `add_…` per command: declares it in `app` and runs it while the command line is parsed.
void add_trials_command(CLI::App& app, Surroundings& surroundings);
void add_metrics_command(CLI::App& app, Surroundings& surroundings);
void add_query_command(CLI::App& app, Surroundings& surroundings);
void add_curves_command(CLI::App& app, Surroundings& surroundings);
void add_fit_command(CLI::App& app, Surroundings& surroundings);
void add_isoflop_command(CLI::App& app, Surroundings& surroundings);
void add_import_command(CLI::App& app, Surroundings& surroundings);
void add_frontier_command(CLI::App& app, Surroundings& surroundings);
/// predict, suggest
void add_advice_commands(CLI::App& app, Surroundings& surroundings);
void add_report_command(CLI::App& app, Surroundings& surroundings);
void add_compare_command(CLI::App& app, Surroundings& surroundings);
/// export, merge, check
void add_maintenance_commands(CLI::App& app, Surroundings& surroundings);

}  // namespace ditscale::analysis
