#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/checks.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/tables/terminal.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  DatabaseOptions database;
  FormatOptions format;
  std::string from = "trials";
  RowQuery rows;
  std::string settings;
  std::string sql;
};

Json json_of(const results::SqlValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) {
          return nullptr;
        } else {
          return v;
        }
      },
      value);
}

Table sql_table(const std::filesystem::path& database, const std::string& sql) {
  const results::ResultsReader reader(database);
  Table table;
  reader.query(
      sql,
      [&](const std::vector<std::string>& names) {
        for (const std::string& name : names) table.columns.push_back({name, Column::Kind::kText, 6, true});
      },
      [&](const std::vector<results::SqlValue>& row) {
        std::vector<Json> cells;
        for (const results::SqlValue& value : row) cells.push_back(json_of(value));
        table.rows.push_back(std::move(cells));
      });
  return table;
}

void run(const Options& options, Surroundings& surroundings) {
  const std::filesystem::path database = options.database.path();
  const Format format = options.format.chosen();
  Table table;
  if (!options.sql.empty()) {
    table = sql_table(database, options.sql);
  } else {
    const Study study = load_study(database);
    const RowKind kind = row_kind_from(options.from);
    table = kind == RowKind::kMetrics ? run_metric_query(study, options.rows)
                                      : run_query(rows_of(study, kind, options.settings), options.rows);
  }
  const auto doubled = doubled_column(table);
  if (format == Format::kJson && !options.sql.empty() && doubled) {
    throw common::UsageError(fmt::format(
        "--sql: two columns are called \"{}\", of which JSON would lose one: give it an alias (AS)", *doubled));
  }
  surroundings.out << render(table, format, terminal_width());
  if (format == Format::kTable && table.rows.empty()) surroundings.notes << "analysis: no row matches\n";
}

}  // namespace

void add_query_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("query", "filter, choose and sort; or SQL that only reads");
  options->database.add_to(*command);
  options->format.add_to(*command);
  auto* sql = command->add_option("--sql", options->sql,
                                  "one SELECT; views: v_trials, v_metrics, v_evaluations (docs/formats.md)");
  for (CLI::Option* option : {
           command->add_option("--from", options->from, "rows: trials, evaluations or metrics")->capture_default_str(),
           command->add_option("--where", options->rows.where,
                               "filter over columns and paths of the configuration: and or not, = != < <= > >=, "
                               "~ (contains), in (…), is null"),
           command->add_option("--columns", options->rows.columns, "columns, separated by commas")->delimiter(','),
           command->add_option("--sort", options->rows.sort, "a column, or column:desc"),
           command->add_option("--limit", options->rows.limit, "most rows; 0 is all")
               ->check(whole_from(0))
               ->capture_default_str(),
           command->add_option("--settings", options->settings,
                               "id of the evaluation settings that score columns show"),
       }) {
    sql->excludes(option);
  }
  command->footer(
      "Examples:\n"
      "  analysis query --where \"fid < 40 and model.patch in (2, 4)\" --columns label,gflops,fid --sort fid\n"
      "  analysis query --from evaluations --where \"step = 1500\" --format csv\n"
      "  analysis query --sql \"SELECT label, min(value) FROM v_evaluations GROUP BY trial\"");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
