#include "sweeps/spec/json_path.hpp"

#include <charconv>
#include <variant>
#include <vector>

#include "common/error.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;

namespace {

using Step = std::variant<std::string, std::size_t>;

/// "evaluate[0].steps" → evaluate, 0, steps.
std::vector<Step> split_path(const std::string& path, const std::string& where) {
  std::vector<Step> steps;
  std::size_t at = 0;
  const auto refuse = [&] {
    return ConfigError(
        fmt::format("{}: \"{}\" is no path; paths look like model.width or evaluate[0].steps", where, path));
  };
  while (at < path.size()) {
    const std::size_t end = path.find_first_of(".[", at);
    const std::string key = path.substr(at, end - at);
    if (key.empty()) throw refuse();
    steps.emplace_back(key);
    at = end == std::string::npos ? path.size() : end;
    while (at < path.size() && path[at] == '[') {
      std::size_t index = 0;
      const char* first = path.data() + at + 1;
      const auto [last, code] = std::from_chars(first, path.data() + path.size(), index);
      if (code != std::errc() || last == path.data() + path.size() || *last != ']') throw refuse();
      steps.emplace_back(index);
      at = static_cast<std::size_t>(last - path.data()) + 1;
    }
    if (at < path.size()) {
      if (path[at] != '.' || at + 1 == path.size()) throw refuse();
      ++at;
    }
  }
  if (steps.empty()) throw refuse();
  return steps;
}

Json* enter(Json* at, const Step& step, const std::string& path, const std::string& where) {
  if (const auto* index = std::get_if<std::size_t>(&step)) {
    if (!at->is_array() || *index >= at->size())
      throw ConfigError(fmt::format("{}: {}: there is no element {}", where, path, *index));
    return &(*at)[*index];
  }
  if (at->is_string()) *at = Json{{"name", *at}};
  if (at->is_null()) *at = Json::object();
  if (!at->is_object())
    throw ConfigError(fmt::format("{}: {}: there is a value, not an object, on the way", where, path));
  return &(*at)[std::get<std::string>(step)];
}

}  // namespace

void set_path(Json& root, const std::string& path, Json value, const std::string& where) {
  Json* at = &root;
  for (const Step& step : split_path(path, where)) at = enter(at, step, path, where);
  *at = std::move(value);
}

Json value_at(const Json& root, const std::string& path) {
  const Json* at = &root;
  for (const Step& step : split_path(path, path)) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      if (!at->is_array() || *index >= at->size()) return nullptr;
      at = &(*at)[*index];
    } else {
      if (!at->is_object() || !at->contains(std::get<std::string>(step))) return nullptr;
      at = &(*at)[std::get<std::string>(step)];
    }
  }
  return *at;
}

std::pair<std::string, Json> parse_assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw common::UsageError(fmt::format("--set {}: write path=value, for example --set train.steps=100", text));
  }
  const std::string right = text.substr(equals + 1);
  Json value = Json::parse(right, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) value = right;
  return {text.substr(0, equals), std::move(value)};
}

}  // namespace ditscale::sweeps
