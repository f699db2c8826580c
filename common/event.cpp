#include "common/event.hpp"

#include "common/error.hpp"

namespace ditscale::common {

std::string Event::to_line() const {
  return Json{{"v", kEventVersion}, {"n", number}, {"t", time_s}, {"kind", kind}, {"body", body}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

Event Event::from_line(const std::string& line) {
  const auto refuse = [&](const char* why) {
    return CorruptData(fmt::format("event line {}: {}", why, line.substr(0, 80)));
  };
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw refuse("is not a JSON object");
  const auto field = [&](const char* key, Json::value_t type) -> const Json& {
    const auto found = json.find(key);
    const bool number_ok = type == Json::value_t::number_float && found != json.end() && found->is_number();
    const bool integer_ok = type == Json::value_t::number_integer && found != json.end() && found->is_number_integer();
    if (found == json.end() || (found->type() != type && !number_ok && !integer_ok))
      throw refuse("lacks a field or has it with a wrong type");
    return *found;
  };
  if (field("v", Json::value_t::number_integer).get<int>() != kEventVersion) throw refuse("has an unknown version");
  Event event;
  event.number = field("n", Json::value_t::number_integer).get<std::int64_t>();
  event.time_s = field("t", Json::value_t::number_float).get<double>();
  event.kind = field("kind", Json::value_t::string).get<std::string>();
  event.body = field("body", Json::value_t::object);
  if (event.number < 1) throw refuse("has a number below 1");
  return event;
}

}  // namespace ditscale::common
