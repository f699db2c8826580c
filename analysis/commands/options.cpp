#include "analysis/commands/options.hpp"

#include <CLI/CLI.hpp>

#include "common/error.hpp"

namespace ditscale::analysis {

void DatabaseOptions::add_to(CLI::App& command) {
  auto* file = command.add_option("--db", db, "results database (results.db)");
  auto* name = command.add_option("--sweep", sweep, "name of the sweep, for <runs>/<sweep>/results.db");
  command.add_option("--runs", runs, "folder of the sweeps; without --db and --sweep its newest results.db is read")
      ->capture_default_str();
  file->excludes(name);
}

void FormatOptions::add_to(CLI::App& command) {
  command.add_option("--format", format, "table, csv, json or md")->capture_default_str();
  command.add_flag("--json", json, "the same as --format json");
}

void FigureOptions::add_to(CLI::App& command) {
  command.add_option("--out", out, "folder for SVG, PNG, PDF, CSV and JSON");
  command.add_option("--size", size, "of the figures: page (170 mm), column (85 mm) or slide")
      ->capture_default_str()
      ->check([](const std::string& name) {
        try {
          static_cast<void>(picture_size_from(name));
          return std::string();
        } catch (const common::UsageError& error) {
          return std::string(error.what());
        }
      });
}

}  // namespace ditscale::analysis
