#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/options.hpp"
#include "analysis/queries/export_tables.hpp"
#include "common/error.hpp"
#include "results/maintenance/check.hpp"
#include "results/maintenance/merge.hpp"
#include "results/reader.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

void add_merge(CLI::App& app, Surroundings& surroundings) {
  struct Options {
    std::vector<std::string> sources;
    std::string into;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("merge", "several results databases into one");
  command->add_option("sources", options->sources, "databases to read")->required();
  command->add_option("--into", options->into, "database to make, or to add to")->required();
  command->add_flag("--json", options->json, "what was done, as JSON");
  command->footer("Example:\n  analysis merge runs/here/results.db there.db --into both.db");
  command->callback([options, &surroundings] {
    Json list = Json::array();
    for (const std::string& source : options->sources) {
      const results::Merged merged = results::merge_database(source, options->into);
      list.push_back({{"source", source},
                      {"new_trials", merged.new_trials},
                      {"shared_trials", merged.shared_trials},
                      {"new_attempts", merged.new_attempts},
                      {"continued_attempts", merged.continued_attempts}});
      if (options->json) continue;
      surroundings.out << fmt::format("{}: {} new trials, {} known ones, {} new attempts, {} that went on\n", source,
                                      merged.new_trials, merged.shared_trials, merged.new_attempts,
                                      merged.continued_attempts);
    }
    if (options->json) surroundings.out << list.dump(2) << "\n";
  });
}

void add_check(CLI::App& app, Surroundings& surroundings) {
  struct Options {
    DatabaseOptions database;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "is a results database whole: pages, orphans, gaps");
  options->database.add_to(*command);
  command->add_flag("--json", options->json, "findings as JSON");
  command->footer("Example:\n  analysis check --db runs/fashion_mnist_demo/results.db");
  command->callback([options, &surroundings] {
    const std::filesystem::path database = options->database.path();
    static_cast<void>(results::ResultsReader(database));  // refuses what is no results database, or an empty one
    const auto findings = results::check_database(database, [&](const std::string& what) {
      if (!options->json) surroundings.notes << "checking: " << what << "\n";
    });
    if (options->json) {
      surroundings.out << Json{{"database", database.string()}, {"findings", findings}}.dump(2) << "\n";
    } else {
      for (const std::string& finding : findings) surroundings.out << finding << "\n";
    }
    if (!findings.empty()) {
      throw common::CorruptData(
          fmt::format("{}: {} finding{}", database.string(), findings.size(), findings.size() == 1 ? "" : "s"));
    }
    if (!options->json) surroundings.out << database.string() << ": nothing wrong was found\n";
  });
}

void add_export(CLI::App& app, Surroundings& surroundings) {
  struct Options {
    DatabaseOptions database;
    std::string out;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "the views as CSV files, for pandas, R or a spreadsheet");
  options->database.add_to(*command);
  command->add_option("--out", options->out, "folder for the files")->required();
  command->footer("Example:\n  analysis export --db runs/fashion_mnist_demo/results.db --out exported");
  command->callback([options, &surroundings] {
    for (const auto& file : export_views(options->database.path(), options->out, surroundings.provenance)) {
      surroundings.out << file.string() << "\n";
    }
  });
}

}  // namespace

void add_maintenance_commands(CLI::App& app, Surroundings& surroundings) {
  add_export(app, surroundings);
  add_merge(app, surroundings);
  add_check(app, surroundings);
}

}  // namespace ditscale::analysis
