#include "sweeps/spec/assignments.hpp"

#include <algorithm>
#include <array>

#include "common/error.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;
using common::JsonDocument;
using common::stands_below;

namespace {

constexpr std::array<std::string_view, 9> kSweepKeys{"name",    "description", "base",  "grid",          "zip",
                                                     "include", "exclude",     "seeds", "early_stopping"};

std::string place_in_sweep(const std::string& path) {
  const std::string first = path.substr(0, path.find_first_of(".["));
  const bool of_the_sweep = std::find(kSweepKeys.begin(), kSweepKeys.end(), first) != kSweepKeys.end();
  return of_the_sweep ? path : "base." + path;
}

/// "grid", or "zip[0]": the objects whose keys are paths in the trial. Empty when `place` stands in none of them.
std::string object_of_paths(const std::string& place) {
  if (place.starts_with("grid.")) return "grid";
  const bool in_list = place.starts_with("zip[") || place.starts_with("include[") || place.starts_with("exclude[");
  const std::size_t end = in_list ? place.find("].") : std::string::npos;
  return end == std::string::npos ? std::string() : place.substr(0, end + 1);
}

/// There a path is one key with dots in it.
void set_key(Json& sweep, const std::string& holder, const std::string& key, Json value, const std::string& where) {
  Json& object = reach_path(sweep, holder, where);
  if (object.is_null()) object = Json::object();
  if (!object.is_object()) throw ConfigError(fmt::format("{}: \"{}\" is no object in the file", where, holder));
  object[key] = std::move(value);
}

template <typename Map>
void erase_below(Map& map, const std::string& path) {
  for (auto at = map.lower_bound(path); at != map.end() && at->first.starts_with(path);)
    at = stands_below(at->first, path) ? map.erase(at) : std::next(at);
}

}  // namespace

void apply_assignments(JsonDocument& document, const std::vector<std::string>& texts) {
  if (!document.value.is_object()) return;  // refused by the reader, with its line
  for (const std::string& text : texts) {
    auto [path, value] = parse_assignment(text);
    const std::string where = "--set " + text;
    const std::string place = place_in_sweep(path);
    const std::string holder = object_of_paths(place);
    if (holder.empty()) {
      set_path(document.value, place, std::move(value), where);
    } else {
      set_key(document.value, holder, place.substr(holder.size() + 1), std::move(value), where);
    }
    erase_below(document.lines, place);
    erase_below(document.origins, place);
    document.origins[place] = where;
  }
}

bool is_assigned(const JsonDocument& document, const std::string& path) {
  return std::any_of(document.origins.begin(), document.origins.end(), [&](const auto& origin) {
    const std::string& place = origin.first;
    if (place.starts_with("zip") || place == "grid" || place == "base") return true;
    if (place == "seeds") return path == "seed";
    if (!place.starts_with("grid.") && !place.starts_with("base.")) return false;
    const std::string field = place.substr(5);
    return stands_below(path, field) || stands_below(field, path);
  });
}

void check_none_is_lost(const JsonDocument& document, const std::map<std::string, std::string>& setters) {
  constexpr std::string_view kBase = "base.";
  for (const auto& [place, where] : document.origins) {
    if (!place.starts_with(kBase)) continue;
    const std::string path = place.substr(kBase.size());
    for (const auto& [set_again, setter] : setters) {
      if (!stands_below(path, set_again)) continue;
      throw ConfigError(fmt::format("{}: {} sets {} again, so this would be lost; set that instead (--set '{}=…')",
                                    where, setter, set_again, setter));
    }
  }
}

}  // namespace ditscale::sweeps
