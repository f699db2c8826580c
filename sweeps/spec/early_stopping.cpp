#include "sweeps/spec/early_stopping.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/error.hpp"
#include "sweeps/spec/json_path.hpp"
#include "sweeps/spec/part_readers.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;
using common::Range;

namespace {

const Json& list_in(ObjectReader& reader, const std::string& key) {
  static const Json kNone = Json::array();
  const Json* list = reader.child(key);
  if (list == nullptr) return kNone;
  if (!list->is_array()) reader.fail(key, fmt::format("a list is needed, found {}", common::shown(*list)));
  return *list;
}

void read_steps(ObjectReader& reader, EarlyStopping& rule) {
  for (const Json& value : list_in(reader, "at_steps")) {
    const auto step = common::whole_number(value);
    if (!step || *step <= (rule.at_steps.empty() ? 0 : rule.at_steps.back()))
      reader.fail("at_steps", fmt::format("{}: growing whole numbers from 1 are needed", common::shown(value)));
    rule.at_steps.push_back(*step);
  }
  if (rule.at_steps.empty()) reader.fail("at_steps", "at least one step is needed, as in [100, 200]");
}

bool has_fid(const EvaluateSpec& evaluate) {
  return std::find(evaluate.metrics.begin(), evaluate.metrics.end(), "fid") != evaluate.metrics.end();
}

/// Throws ConfigError when the trial has not exactly one FID, made while it trains. `where` is the rule's metric.
void check_fid(const Cell& cell, const std::string& where) {
  const std::vector<EvaluateSpec>& evaluate = cell.trial.evaluate;
  const auto num_fids = std::count_if(evaluate.begin(), evaluate.end(), has_fid);
  if (num_fids != 1)
    throw ConfigError(
        fmt::format("{}: \"fid\" judges by the trial's one FID, but trial {} ({}) has {} entries with one", where,
                    cell.id.brief(), cell.label(), num_fids));
  if (std::find_if(evaluate.begin(), evaluate.end(), has_fid)->apart)
    throw ConfigError(fmt::format(
        "{}: \"fid\" judges trials while they train, but trial {} ({}) makes its FID after all training; set "
        "\"apart\" to false in that entry of evaluate, or judge by \"loss\"",
        where, cell.id.brief(), cell.label()));
}

/// Steps from one value that the rule judges by to the next. The trial has what check_fid asks for.
std::int64_t interval_of(const EarlyStopping& rule, const TrialSpec& trial) {
  if (rule.metric == "loss") return trial.train.log_every_steps;
  return std::find_if(trial.evaluate.begin(), trial.evaluate.end(), has_fid)->every_steps;
}

/// Whether the trial has steps left at the first value by which it can be judged.
bool can_be_stopped(const EarlyStopping& rule, const TrialSpec& trial) {
  const std::int64_t first = rule.at_steps.front();
  const std::int64_t interval = interval_of(rule, trial);
  return first < trial.train.steps && ((first - 1) / interval + 1) * interval < trial.train.steps;
}

/// Throws ConfigError when no trial can be stopped before its end.
void check_steps(const EarlyStopping& rule, const std::vector<Cell>& cells, const std::string& where) {
  if (std::any_of(cells.begin(), cells.end(), [&](const Cell& cell) { return can_be_stopped(rule, cell.trial); }))
    return;
  std::int64_t longest = 0;
  for (const Cell& cell : cells) longest = std::max(longest, cell.trial.train.steps);
  const std::int64_t first = rule.at_steps.front();
  if (first >= longest)
    throw ConfigError(
        fmt::format("{}: no trial would ever be judged, as step {} is not before the end of any (train.steps is {} "
                    "at most); lower it, or leave early_stopping out",
                    where, first, longest));
  const bool by_loss = rule.metric == "loss";
  throw ConfigError(fmt::format(
      "{}: no trial would ever be judged, as from step {} on the first {} of each comes at its end; lower the step or "
      "{}, or leave early_stopping out",
      where, first, by_loss ? "loss" : "FID", by_loss ? "train.log_every_steps" : "every_steps of that score"));
}

/// Of an axis that is no field of a resolved trial ("model.name") what the axis was set to.
Json value_of(const Cell& cell, const Json& trial, const std::string& path) {
  if (const Json* value = find_path(trial, path, path)) return *value;
  const auto axis = cell.axes.find(path);
  return axis == cell.axes.end() ? Json() : axis->second;
}

}  // namespace

std::string EarlyStopping::group_of(const Cell& cell) const {
  if (among.empty() && metric != "loss") return {};
  const Json trial = cell.trial.to_json();
  std::string group;
  if (metric == "loss") group = "objective=" + trial.at("objective").dump();
  for (const std::string& path : among) {
    group += (group.empty() ? "" : " ") + path + "=" + value_of(cell, trial, path).dump();
  }
  return group;
}

EarlyStopping read_early_stopping(const JsonDocument& document, const Json& value, const std::string& path) {
  EarlyStopping rule;
  ObjectReader reader(document, value, path);
  reader.get_choice("metric", rule.metric, {"loss", "fid"});
  reader.get("keep", rule.keep, Range{0, 0.99, true});
  read_steps(reader, rule);
  for (const Json& axis : list_in(reader, "among")) {
    if (!axis.is_string()) reader.fail("among", fmt::format("{} is no axis' path", common::shown(axis)));
    rule.among.push_back(axis.get<std::string>());
  }
  reader.finish();
  return rule;
}

void check_early_stopping(const EarlyStopping& rule, const std::vector<Cell>& cells, const JsonDocument& document,
                          const std::string& path) {
  for (const std::string& axis : rule.among) {
    const bool known = std::any_of(cells.begin(), cells.end(), [&](const Cell& c) { return c.axes.count(axis) != 0; });
    if (known) continue;
    throw ConfigError(fmt::format("{}: \"{}\" is no axis of this sweep", document.where(path + ".among"), axis));
  }
  if (rule.metric == "fid") {
    for (const Cell& cell : cells) check_fid(cell, document.where(path + ".metric"));
  }
  check_steps(rule, cells, document.where(path + ".at_steps"));
}

}  // namespace ditscale::sweeps
