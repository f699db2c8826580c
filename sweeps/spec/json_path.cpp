#include "sweeps/spec/json_path.hpp"

#include <charconv>
#include <variant>
#include <vector>

#include "common/error.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;
using common::UsageError;

namespace {

using Step = std::variant<std::string, std::size_t>;

constexpr std::size_t kMaxSteps = 64;

/// Reads "[3]" at `at` and moves behind it; empty when it is no index.
std::optional<std::size_t> take_index(const std::string& path, std::size_t& at) {
  std::size_t index = 0;
  const char* end = path.data() + path.size();
  const auto [last, code] = std::from_chars(path.data() + at + 1, end, index);
  if (code != std::errc() || last == end || *last != ']') return std::nullopt;
  at = static_cast<std::size_t>(last - path.data()) + 1;
  return index;
}

/// "evaluate[0].steps" → evaluate, 0, steps.
std::vector<Step> split_path(const std::string& path, const std::string& where) {
  std::vector<Step> steps;
  const auto refuse = [&] {
    return ConfigError(
        fmt::format("{}: {} is no path; paths look like model.width or evaluate[0].steps", where, common::shown(path)));
  };
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find_first_of(".[", at), path.size());
    if (end == at) throw refuse();
    steps.emplace_back(path.substr(at, end - at));
    at = end;
    while (at < path.size() && path[at] == '[') {
      const auto index = take_index(path, at);
      if (!index) throw refuse();
      steps.emplace_back(*index);
    }
    if (at < path.size() && path[at] != '.') throw refuse();
    if (steps.size() > kMaxSteps) throw refuse();
    ++at;
  }
  return steps;
}

/// True when the steps before `end` lead to a trial's model, which may be given by its name alone.
bool leads_to_model(const std::vector<Step>& steps, std::size_t end) {
  const Step model{std::string("model")};
  return (end == 1 && steps[0] == model) || (end == 2 && steps[0] == Step{std::string("base")} && steps[1] == model);
}

Json* enter(Json* at, const Step& step, const std::string& path, const std::string& where) {
  if (const auto* index = std::get_if<std::size_t>(&step)) {
    if (!at->is_array() || *index >= at->size())
      throw ConfigError(fmt::format("{}: {}: there is no element {}", where, path, *index));
    return &(*at)[*index];
  }
  if (at->is_null()) *at = Json::object();
  if (!at->is_object())
    throw ConfigError(
        fmt::format("{}: {}: {} stands on the way, not an object {{…}}", where, path, common::shown(*at)));
  return &(*at)[std::get<std::string>(step)];
}

}  // namespace

Json& reach_path(Json& root, const std::string& path, const std::string& where) {
  Json* at = &root;
  const std::vector<Step> steps = split_path(path, where);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (at->is_string() && leads_to_model(steps, i)) *at = Json{{"name", *at}};
    at = enter(at, steps[i], path, where);
  }
  return *at;
}

void set_path(Json& root, const std::string& path, Json value, const std::string& where) {
  reach_path(root, path, where) = std::move(value);
}

const Json* find_path(const Json& root, const std::string& path, const std::string& where) {
  const Json* at = &root;
  for (const Step& step : split_path(path, where)) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      if (!at->is_array() || *index >= at->size()) return nullptr;
      at = &(*at)[*index];
    } else {
      const auto found = at->find(std::get<std::string>(step));  // end() for what is no object
      if (found == at->end()) return nullptr;
      at = &*found;
    }
  }
  return at;
}

Json value_at(const Json& root, const std::string& path) {
  const Json* found = find_path(root, path, path);
  return found == nullptr ? Json() : *found;
}

std::pair<std::string, Json> parse_assignment(const std::string& text) {
  if (common::valid_utf8(text) != text)
    throw UsageError(fmt::format("--set {}: this is not UTF-8", common::valid_utf8(text)));
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("--set {}: write path=value, for example --set train.steps=100", text));
  }
  const std::string right = text.substr(equals + 1);
  std::string path = text.substr(0, equals);
  const bool meant_as_json = !right.empty() && (right.front() == '{' || right.front() == '[' || right.front() == '"');
  if (!meant_as_json && !Json::accept(right)) return {std::move(path), right};
  try {
    return {std::move(path), common::parse_json(right, "--set " + text).value};
  } catch (const ConfigError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace ditscale::sweeps
