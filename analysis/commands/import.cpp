#include <ostream>
#include <set>

#include <CLI/CLI.hpp>

#include "analysis/commands/options.hpp"
#include "analysis/queries/imported_runs.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "results/maintenance/study_lock.hpp"
#include "results/reader.hpp"
#include "results/writer.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

struct Options {
  std::string file;
  std::string table;
  std::string db;
  std::string name;
  std::vector<std::string> set;
  std::vector<std::string> settings;
  std::vector<std::string> scores;
  bool json = false;
};

ImportOptions import_options(const Options& options) {
  ImportOptions result;
  for (const std::string& text : options.set) {
    const auto [path, value] = sweeps::parse_assignment(text);
    sweeps::set_path(result.base, path, value, "--set " + text);
  }
  for (const std::string& text : options.settings) {
    const auto [key, value] = sweeps::parse_assignment(text);
    result.settings[key] = value;
  }
  result.scores = options.scores;
  return result;
}

/// Everything or nothing.
void store(const std::vector<ImportedRun>& runs, const Options& options) {
  const std::filesystem::path database = options.db;
  if (database.has_parent_path()) std::filesystem::create_directories(database.parent_path());
  results::ResultsWriter writer(database);
  results::ResultsWriter::Batch batch(writer);
  const double now_s = common::SystemClock().unix_s();
  writer.put_sweep(options.name, "imported from " + options.file, {{"name", options.name}});
  for (const ImportedRun& run : runs) {
    const std::vector<results::TrialRecord> records{run.trial};
    writer.put_trials(records);
    results::AttemptRecord attempt;
    attempt.trial = run.trial.id;
    attempt.host = "imported";
    attempt.started_s = now_s - run.seconds;
    writer.start_attempt(attempt);
    std::vector<results::AttemptEvent> events;
    for (const common::Event& event : run.events) events.push_back({run.trial.id, attempt.number, event});
    writer.ingest(events);
    writer.end_attempt(run.trial.id, attempt.number, results::TrialState::kSucceeded, "", now_s);
    writer.set_trial_state(run.trial.id, results::TrialState::kSucceeded, "", now_s);
  }
  batch.commit();
}

void refuse_known(const std::vector<ImportedRun>& runs, const Options& options) {
  if (!std::filesystem::exists(options.db)) return;
  const results::ResultsReader reader(options.db);
  std::set<std::string> known;
  for (const results::TrialRow& row : reader.trials()) known.insert(row.trial.id.str());
  for (const ImportedRun& run : runs) {
    if (known.count(run.trial.id.str()) == 0) continue;
    throw common::ConfigError(fmt::format("{}: it has trial {} ({}) already; import into a new file, then merge",
                                          options.db, run.trial.id.brief(), run.trial.label));
  }
}

void run(const Options& options, Surroundings& surroundings) {
  const RunTable table = read_run_table(options.file, options.table);
  const auto [runs, varying_columns] = imported_runs(table, import_options(options));
  if (runs.empty()) throw common::ConfigError(options.file + ": no rows; there is nothing to import");
  const auto lock = results::lock_study_of(options.db);
  refuse_known(runs, options);
  store(runs, options);
  if (!varying_columns.empty()) {
    surroundings.notes << fmt::format(
        "analysis: not kept, for they change from step to step of a run: {} (--scores NAME keeps one as a score)\n",
        fmt::join(varying_columns, ", "));
  }
  if (options.json) {
    surroundings.out << Json{{"database", options.db}, {"rows", table.rows.size()}, {"trials", runs.size()}}.dump(2)
                     << "\n";
  } else {
    surroundings.out << fmt::format("{} rows are {} trials in {}\n", table.rows.size(), runs.size(), options.db);
  }
}

}  // namespace

void add_import_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("import", "runs made elsewhere, from CSV or JSON, into a results database");
  command->add_option("file", options->file, "CSV with a header, or JSON with columns and rows")->required();
  command->add_option("--table", options->table, "which table of a JSON file");
  command->add_option("--db", options->db, "database to make, or to add to")->required();
  command->add_option("--name", options->name, "name of the study")->default_str("imported");
  command->add_option("--set", options->set, "configuration of all rows: train.global_batch=256 (may be given again)");
  command->add_option("--settings", options->settings,
                      "settings of all scores: features=inception (may be given again)");
  command->add_option("--scores", options->scores, "further columns that are scores")->delimiter(',');
  command->add_flag("--json", options->json, "what was done, as JSON");
  command->footer(
      "Example:\n"
      "  analysis import runs.csv --db imported.db --settings features=inception --set data.name=imagenet_latents\n"
      "  analysis curves --db imported.db --terminal");
  options->name = "imported";
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
