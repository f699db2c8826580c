#include "common/event.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace ditscale::common {

namespace {
constexpr int kMaxDepth = 64;
}

std::string Event::to_line() const {
  return Json{{"v", kEventVersion}, {"n", number}, {"t", time_s}, {"kind", kind}, {"body", body}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

Event Event::from_line(const std::string& line) {
  const auto refuse = [&](const char* why) { return CorruptData(fmt::format("event line {}: {}", why, shown(line))); };
  // A hostile depth must not reach the recursive copy of a value.
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) throw refuse("is nested too deep");
    return true;
  };
  // Almost every line has too few brackets to be deep, and is parsed faster without the question.
  const bool flat = std::count_if(line.begin(), line.end(), [](char c) { return c == '[' || c == '{'; }) <= kMaxDepth;
  Json json = Json::parse(line, flat ? Json::parser_callback_t() : limit_depth, /*allow_exceptions=*/false);
  if (!json.is_object()) throw refuse("is not a JSON object");
  const auto field = [&](const char* key, bool (*right_type)(const Json&)) -> const Json& {
    const auto found = json.find(key);
    if (found == json.end() || !right_type(*found)) throw refuse("lacks a field or has it with a wrong type");
    return *found;
  };
  const auto whole = [](const Json& value) { return value.is_number_integer(); };
  if (field("v", whole) != kEventVersion) throw refuse("has an unknown version");
  Event event;
  event.number = field("n", whole).get<std::int64_t>();
  event.time_s = field("t", [](const Json& value) { return value.is_number(); }).get<double>();
  event.kind = field("kind", [](const Json& value) { return value.is_string(); }).get<std::string>();
  static_cast<void>(field("body", [](const Json& value) { return value.is_object(); }));
  event.body = std::move(json["body"]);
  if (event.number < 1) throw refuse("has a number below 1");
  return event;
}

}  // namespace ditscale::common
