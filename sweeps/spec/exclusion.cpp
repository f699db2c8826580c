#include "sweeps/spec/exclusion.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/error.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::join_path;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;

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
    Rule rule{(*list)[i].dump(), {}};
    for (const auto& [path, value] : (*list)[i].items()) {
      const std::string place = join_path(join_path("exclude", i), path);
      rule.conditions.push_back({path, value, document.where(place)});
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
  return *found == condition.value;
}

std::string ExcludeRules::met_by(const Json& trial) {
  for (Rule& rule : rules_) {
    bool all = true;
    for (Condition& condition : rule.conditions) all = meets(trial, condition) && all;
    if (all) return rule.text;
  }
  return {};
}

void ExcludeRules::check_all_possible() const {
  for (const Rule& rule : rules_) {
    for (const Condition& condition : rule.conditions) {
      if (!condition.field_seen)
        throw ConfigError(fmt::format("{}: no trial of this sweep has a field {}", condition.where, condition.path));
      if (!condition.type_seen)
        throw ConfigError(fmt::format("{}: {} can equal no value of this field: the types differ", condition.where,
                                      common::shown(condition.value)));
    }
  }
}

}  // namespace ditscale::sweeps
