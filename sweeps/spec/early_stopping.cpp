#include "sweeps/spec/early_stopping.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/error.hpp"
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
  for (const Json& step : list_in(reader, "at_steps")) {
    const bool grows = step.is_number_integer() && step.get<std::int64_t>() > 0 &&
                       (rule.at_steps.empty() || step.get<std::int64_t>() > rule.at_steps.back());
    if (!grows)
      reader.fail("at_steps", fmt::format("{}: growing whole numbers from 1 are needed", common::shown(step)));
    rule.at_steps.push_back(step.get<std::int64_t>());
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

/// Throws ConfigError when no trial has steps left where it would be judged first.
void check_steps(const EarlyStopping& rule, const std::vector<Cell>& cells, const std::string& where) {
  std::int64_t longest = 0;
  for (const Cell& cell : cells) longest = std::max(longest, cell.trial.train.steps);
  if (cells.empty() || rule.at_steps.front() < longest) return;
  throw ConfigError(
      fmt::format("{}: no trial would ever be judged, as step {} is not before the end of any (train.steps is {} "
                  "at most); lower it, or leave early_stopping out",
                  where, rule.at_steps.front(), longest));
}

}  // namespace

std::string EarlyStopping::group_of(const Cell& cell) const {
  std::string group;
  for (const std::string& path : among) {
    const auto value = cell.axes.find(path);
    group += (group.empty() ? "" : " ") + path + "=" + (value == cell.axes.end() ? "null" : value->second.dump());
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
  check_steps(rule, cells, document.where(path + ".at_steps"));
  if (rule.metric != "fid") return;
  for (const Cell& cell : cells) check_fid(cell, document.where(path + ".metric"));
}

}  // namespace ditscale::sweeps
