#include "analysis/queries/imported_runs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

const std::map<std::string, std::string> kPaths{{"patch", "model.patch"},
                                                {"depth", "model.depth"},
                                                {"width", "model.width"},
                                                {"heads", "model.heads"},
                                                {"block", "model.block"},
                                                {"image_size", "data.image_size"},
                                                {"steps", "train.steps"},
                                                {"batch", "train.global_batch"},
                                                {"global_batch", "train.global_batch"},
                                                {"lr", "train.lr"},
                                                {"seed", "seed"}};
const std::map<std::string, std::string> kSettings{{"guidance", "guidance"},    {"sampler", "sampler"},
                                                   {"sampling_steps", "steps"}, {"num_samples", "num_samples"},
                                                   {"features", "features"},    {"decoder", "decoder"}};
constexpr std::array<const char*, 5> kScores{"fid", "sfid", "inception_score", "precision", "recall"};
/// What the row says about the run's size and cost: factor to our unit.
const std::map<std::string, double> kSizes{
    {"gflops", 1e9}, {"forward_macs", 1}, {"parameters", 1}, {"parameters_millions", 1e6},
    {"step", 1},     {"loss", 1},         {"seconds", 1}};

/// Sizes are kept as whole numbers of 64 bits.
constexpr double kMostSize = 9e18;

/// One row, sorted into what it says.
struct ReadRow {
  std::string where;
  Json configuration;
  Json settings;
  std::map<std::string, double> scores;
  std::map<std::string, double> sizes;
  Json axes = Json::object();
  /// Columns that are not known.
  Json others = Json::object();
};

double number_in(const Json& cell, const std::string& column, const std::string& where) {
  if (cell.is_number()) return cell.get<double>();
  throw common::ConfigError(fmt::format("{}: {}: {} is not a number", where, column, common::shown(cell)));
}

/// What the row says of a run's size and cost, in our unit; what cannot be one is refused.
double size_in(const Json& cell, const std::string& column, double factor, const std::string& where) {
  const double size = number_in(cell, column, where) * factor;
  const bool may_be_zero = column == "step" || column == "loss" || column == "seconds";
  if ((may_be_zero ? size >= 0 : size > 0) && size < kMostSize) return size;
  throw common::ConfigError(fmt::format("{}: {}: {} cannot be; it must be {} and less than {:.0e}", where, column,
                                        common::shown(cell), may_be_zero ? "at least 0" : "positive",
                                        kMostSize / factor));
}

/// "XL" with patch 2, "XL/2" and "DiT-XL/2" are one model.
Json model_fields(const std::string& name, const Json& row_patch, const std::string& where) {
  std::string full = name.starts_with("DiT-") ? name : "DiT-" + name;
  if (full.find('/') == std::string::npos && row_patch.is_number_integer()) {
    full += fmt::format("/{}", row_patch.get<std::int64_t>());
  }
  const auto model = sweeps::named_model(full);
  if (!model) {
    throw common::ConfigError(fmt::format(
        "{}: model \"{}\" is not a published size (DiT-S, B, L or XL with patch 2, 4 or 8); give depth, width, heads "
        "and patch in columns of their own",
        where, name));
  }
  return {{"depth", model->depth}, {"width", model->width}, {"heads", model->heads}, {"patch", model->patch}};
}

/// A table of none but unknown columns is the wrong file, or has the wrong header.
void refuse_without_known_columns(const RunTable& table, const ImportOptions& options) {
  const auto known = [&](const std::string& column) {
    return column == "model" || column.find('.') != std::string::npos || kSizes.contains(column) ||
           kSettings.contains(column) || kPaths.contains(column) ||
           std::find(kScores.begin(), kScores.end(), column) != kScores.end() ||
           std::find(options.scores.begin(), options.scores.end(), column) != options.scores.end();
  };
  if (std::any_of(table.columns.begin(), table.columns.end(), known)) return;
  throw common::ConfigError(
      fmt::format("{}: none of its columns is known ({}); name them model, depth, width, patch, steps, fid … as in "
                  "docs/analysis.md",
                  table.source, fmt::join(table.columns, ", ")));
}

ReadRow read_row(const RunTable& table, const RunTable::Row& row, const ImportOptions& options) {
  ReadRow read{row.where, options.base, options.settings, {}, {}, Json::object(), Json::object()};
  const auto is_score = [&](const std::string& column) {
    return std::find(kScores.begin(), kScores.end(), column) != kScores.end() ||
           std::find(options.scores.begin(), options.scores.end(), column) != options.scores.end();
  };
  const auto at = [&](const std::string& column) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), column);
    return found == table.columns.end() ? Json() : row.cells[static_cast<std::size_t>(found - table.columns.begin())];
  };
  if (at("model").is_string()) {
    read.configuration["model"].update(model_fields(at("model").get<std::string>(), at("patch"), row.where));
    read.axes["model"] = at("model");
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    const Json& cell = row.cells[i];
    if (cell.is_null() || column == "model") continue;
    if (is_score(column)) {
      read.scores[column] = number_in(cell, column, row.where);
    } else if (const auto size = kSizes.find(column); size != kSizes.end()) {
      read.sizes[column] = size_in(cell, column, size->second, row.where);
    } else if (const auto setting = kSettings.find(column); setting != kSettings.end()) {
      read.settings[setting->second] = cell;
    } else {
      const auto path = kPaths.find(column);
      const bool known = path != kPaths.end() || column.find('.') != std::string::npos;
      const std::string to = path != kPaths.end() ? path->second : column;
      sweeps::set_path(read.configuration, known ? to : "imported." + column, cell, row.where);
      read.axes[known ? to : column] = cell;
    }
  }
  read.others = read.configuration.value("imported", Json::object());
  read.configuration.erase("imported");
  return read;
}

std::string label_of(const Json& axes) {
  std::string label;
  for (const auto& [key, value] : axes.items()) {
    label += fmt::format("{}{}={}", label.empty() ? "" : " ", key,
                         value.is_string() ? value.get<std::string>() : value.dump());
  }
  return label;
}

results::TrialRecord record_of(const ReadRow& row, std::int64_t position) {
  const Json& configuration = row.configuration;
  const sweeps::TrialSpec spec = sweeps::trial_spec_from(common::JsonDocument{configuration, row.where, {}, {}, {}});
  const sweeps::ModelShape shape = spec.shape();
  results::TrialRecord record;
  record.id = spec.id();
  record.axes = row.axes;
  record.spec = spec.to_json();
  // Which scores were planned is not known.
  record.spec["evaluate"] = Json::array();
  const sweeps::ParameterCount parameters = sweeps::count_parameters(shape);
  record.total_parameters = parameters.total;
  record.trainable_parameters = parameters.trainable;
  record.forward_macs = sweeps::forward_macs(shape);
  record.training_flops = 6.0 * static_cast<double>(record.forward_macs) * static_cast<double>(spec.train.steps) *
                          static_cast<double>(spec.train.global_batch);
  record.position = position;
  return record;
}

/// A run with what was said of it so far, to be found without looking through its events.
struct RunSoFar {
  ImportedRun run;
  /// Empty while no row says them.
  std::optional<std::int64_t> stated_macs;
  std::optional<std::int64_t> stated_parameters;
  std::map<std::int64_t, double> losses;
  /// By step and settings.
  std::map<std::pair<std::int64_t, std::string>, std::map<std::string, double>> scores;
  /// Columns that are not known, by step and settings.
  std::map<std::pair<std::int64_t, std::string>, Json> others;
};

void add_event(ImportedRun& run, const std::string& kind, std::int64_t step, Json body) {
  body["step"] = step;
  body["images"] = step * run.trial.spec["train"]["global_batch"].get<std::int64_t>();
  run.events.push_back(
      {static_cast<std::int64_t>(run.events.size()) + 1, common::SystemClock().unix_s(), kind, std::move(body)});
}

/// Two rows that say one thing of one configuration differently.
[[noreturn]] void refuse_other(const std::string& what, const ReadRow& row) {
  throw common::ConfigError(
      fmt::format("{}: the same configuration has {} in a row before; a column that "
                  "tells them apart (seed, steps, guidance …) is missing",
                  row.where, what));
}

/// What the row says of one size, in any of its columns.
std::optional<std::int64_t> stated_size(const ReadRow& row, std::initializer_list<const char*> columns) {
  for (const char* column : columns) {
    if (const auto found = row.sizes.find(column); found != row.sizes.end()) return std::llround(found->second);
  }
  return std::nullopt;
}

/// Remembers what the row states; what no row before stated contradicts none.
void state(std::optional<std::int64_t>& known, const std::optional<std::int64_t>& again, const std::string& what,
           const ReadRow& row) {
  if (known && again && *known != *again) refuse_other(what, row);
  if (again) known = again;
}

/// Sizes that any row states win over arithmetic.
void take_sizes(RunSoFar& so_far, const ReadRow& row) {
  state(so_far.stated_macs, stated_size(row, {"forward_macs", "gflops"}), "another number of forward MACs", row);
  state(so_far.stated_parameters, stated_size(row, {"parameters", "parameters_millions"}),
        "another number of parameters", row);
  results::TrialRecord& trial = so_far.run.trial;
  if (so_far.stated_parameters) trial.total_parameters = *so_far.stated_parameters;
  if (!so_far.stated_macs) return;
  trial.training_flops *= static_cast<double>(*so_far.stated_macs) / static_cast<double>(trial.forward_macs);
  trial.forward_macs = *so_far.stated_macs;
}

std::int64_t step_of(const ReadRow& row, std::int64_t planned) {
  const auto given = row.sizes.find("step");
  const std::int64_t step = given == row.sizes.end() ? planned : std::llround(given->second);
  if (step <= planned) return step;
  throw common::ConfigError(fmt::format("{}: step {} of a run of {} steps", row.where, step, planned));
}

/// A column that is not known and says two things of one configuration at once, or in words, tells two runs apart:
/// their rows would become one trial. A number that changes from step to step or from setting to setting is a
/// measurement: its column goes to `varying`.
void keep_other_columns(RunSoFar& so_far, const ReadRow& row, std::set<std::string>& varying) {
  if (row.others.empty()) return;
  results::TrialRecord& trial = so_far.run.trial;
  const std::int64_t step = step_of(row, trial.spec["train"]["steps"].get<std::int64_t>());
  Json& at_this_step = so_far.others[{step, row.settings.dump()}];
  Json& kept = trial.spec["imported"];
  for (const auto& [column, value] : row.others.items()) {
    const Json& first = kept.emplace(column, value).first.value();
    const Json& here = at_this_step.emplace(column, value).first.value();
    if (first == value && here == value) continue;
    if (here == value && first.is_number() && value.is_number()) {
      varying.insert(column);
      continue;
    }
    throw common::ConfigError(fmt::format(
        "{}: {} is {}, and {} in a row before of the same configuration; a column that tells them apart (seed, steps, "
        "guidance …) is missing. Name {} with --scores if it is a score, or leave it out if it tells nothing apart",
        row.where, column, common::shown(value), common::shown(here == value ? first : here), column));
  }
}

/// A column that varies within one run says nothing of any run's configuration.
void drop_varying(std::vector<ImportedRun>& runs, const std::set<std::string>& varying) {
  for (ImportedRun& run : runs) {
    for (const std::string& column : varying) {
      run.trial.axes.erase(column);
      run.trial.axes.erase("imported." + column);
      if (run.trial.spec.contains("imported")) run.trial.spec["imported"].erase(column);
    }
  }
}

/// Rows of several settings may say the loss again.
void add_loss(RunSoFar& so_far, const ReadRow& row, std::int64_t step, double loss) {
  const auto [place, added] = so_far.losses.emplace(step, loss);
  if (added) return add_event(so_far.run, "metric", step, {{"loss", loss}});
  if (place->second != loss) refuse_other("another loss at this step", row);
}

void add_results(RunSoFar& so_far, const ReadRow& row) {
  ImportedRun& run = so_far.run;
  const std::int64_t step = step_of(row, run.trial.spec["train"]["steps"].get<std::int64_t>());
  if (const auto loss = row.sizes.find("loss"); loss != row.sizes.end()) add_loss(so_far, row, step, loss->second);
  if (const auto seconds = row.sizes.find("seconds"); seconds != row.sizes.end())
    run.seconds = std::max(run.seconds, seconds->second);
  if (row.scores.empty()) return;
  if (!row.settings.contains("features")) {
    throw common::ConfigError(fmt::format(
        "{}: it has scores, but nothing says in which features; give --settings features=inception, or a column",
        row.where));
  }
  const auto [place, added] = so_far.scores.emplace(std::pair(step, row.settings.dump()), row.scores);
  if (!added && place->second != row.scores) refuse_other("other scores", row);
  if (!added) return;
  Json body{{"settings", row.settings}, {"values", row.scores}};
  if (row.settings.contains("num_samples")) body["num_samples"] = row.settings["num_samples"];
  add_event(run, "evaluation", step, std::move(body));
}

/// Paths whose value is the same in all runs; of a single run none.
std::set<std::string> shared_paths(const std::vector<ImportedRun>& runs) {
  if (runs.size() < 2) return {};
  std::set<std::string> shared;
  for (const auto& [path, unused] : runs.front().trial.axes.items()) shared.insert(path);
  for (const ImportedRun& run : runs) {
    std::erase_if(shared, [&](const std::string& path) {
      return run.trial.axes.value(path, Json()) != runs.front().trial.axes[path];
    });
  }
  return shared;
}

/// What tells the runs apart.
void set_labels(std::vector<ImportedRun>& runs) {
  const std::set<std::string> shared = shared_paths(runs);
  for (ImportedRun& run : runs) {
    Json own = Json::object();
    for (const auto& [path, value] : run.trial.axes.items()) {
      if (!shared.contains(path)) own[path] = value;
    }
    run.trial.label = label_of(own);
  }
}

}  // namespace

ImportedRuns imported_runs(const RunTable& table, const ImportOptions& options) {
  refuse_without_known_columns(table, options);
  std::vector<RunSoFar> all;
  std::unordered_map<std::string, std::size_t> places;
  ImportedRuns found;
  for (const RunTable::Row& row : table.rows) {
    const ReadRow read = read_row(table, row, options);
    results::TrialRecord record = record_of(read, static_cast<std::int64_t>(all.size()));
    const auto [place, added] = places.emplace(record.id.str(), all.size());
    if (added) {
      RunSoFar& first = all.emplace_back();
      first.run.trial = std::move(record);
    }
    RunSoFar& so_far = all[place->second];
    take_sizes(so_far, read);
    keep_other_columns(so_far, read, found.varying_columns);
    add_results(so_far, read);
  }
  for (RunSoFar& one : all) found.runs.push_back(std::move(one.run));
  drop_varying(found.runs, found.varying_columns);
  set_labels(found.runs);
  return found;
}

}  // namespace ditscale::analysis
