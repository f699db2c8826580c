#include "sweeps/spec/exclusion.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "sweeps/spec/assignments.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::join_path;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;

namespace {

/// Values of a field in a message.
constexpr std::size_t kMostShown = 8;

std::string text_of(const std::vector<Json>& values) {
  std::string text;
  for (const Json& value : values) text += (text.empty() ? "" : ", ") + common::shown(value);
  return values.size() == kMostShown ? text + ", ..." : text;
}

}  // namespace

const Json* list_of_objects(ObjectReader& reader, const std::string& key) {
  const Json* list = reader.child(key);
  if (list == nullptr) return nullptr;
  const auto good = [](const Json& item) { return item.is_object() && !item.empty(); };
  if (!list->is_array() || !std::all_of(list->begin(), list->end(), good))
    reader.fail(key, fmt::format("a list of objects {{path: value}} is needed, found {}", common::shown(*list)));
  return list;
}

ExcludeRules::ExcludeRules(ObjectReader& reader, const JsonDocument& document) {
  const Json* list = list_of_objects(reader, "exclude");
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    Rule rule{(*list)[i].dump(), document.where(join_path("exclude", i)), {}};
    for (const auto& [path, value] : (*list)[i].items()) {
      const std::string place = join_path(join_path("exclude", i), path);
      rule.conditions.push_back({path, value, document.where(place)});
      rule.conditions.back().assigned = is_assigned(document, path);
    }
    rules_.push_back(std::move(rule));
  }
}

bool ExcludeRules::meets(const Json& trial, Condition& condition) {
  const Json* found = find_path(trial, condition.path, condition.where);
  if (found == nullptr) return false;
  condition.field_seen = true;
  const bool both_numbers = found->is_number() && condition.value.is_number();
  if (both_numbers || found->type() == condition.value.type() || found->is_null() || condition.value.is_null())
    condition.type_seen = true;
  std::vector<Json>& seen = condition.values_seen;
  if (seen.size() < kMostShown && std::find(seen.begin(), seen.end(), *found) == seen.end()) seen.push_back(*found);
  return *found == condition.value;
}

std::string ExcludeRules::met_by(const Json& trial) {
  std::string first;
  for (Rule& rule : rules_) {
    bool all = true;
    for (Condition& condition : rule.conditions) all = meets(trial, condition) && all;
    rule.met = rule.met || all;
    if (all && first.empty()) first = rule.text;
  }
  return first;
}

void ExcludeRules::check_possible(const Condition& condition) {
  if (!condition.field_seen)
    throw ConfigError(fmt::format("{}: no trial of this sweep has a field {}", condition.where, condition.path));
  if (!condition.type_seen)
    throw ConfigError(fmt::format("{}: {} can equal no value of this field: the types differ", condition.where,
                                  common::shown(condition.value)));
}

void ExcludeRules::check_all_met() const {
  for (const Rule& rule : rules_) {
    for (const Condition& condition : rule.conditions) check_possible(condition);
    const bool assigned =
        std::any_of(rule.conditions.begin(), rule.conditions.end(), [](const Condition& one) { return one.assigned; });
    if (rule.met || assigned) continue;
    std::vector<std::string> there;
    for (const Condition& one : rule.conditions) there.push_back(one.path + ": " + text_of(one.values_seen));
    throw ConfigError(
        fmt::format("{}: {} takes no cell out; there are {}", rule.where, rule.text, fmt::join(there, "; ")));
  }
}

}  // namespace ditscale::sweeps
