#include "common/event.hpp"

#include <new>

#include <simdjson.h>

#include "common/error.hpp"

namespace ditscale::common {

namespace dom = simdjson::dom;

namespace {

/// A hostile depth must not reach the recursive copy of a value.
constexpr std::size_t kMaxDepth = 64;

/// Keeps its memory from line to line.
dom::parser& parser() {
  thread_local dom::parser kept = [] {
    dom::parser made;
    if (made.allocate(std::size_t{1} << 12, kMaxDepth) != simdjson::SUCCESS) throw std::bad_alloc();
    return made;
  }();
  return kept;
}

Json json_of(const dom::element& value);

Json json_of(const dom::object& object) {
  Json::object_t members;
  for (const auto member : object)
    members.insert_or_assign(members.end(), std::string(member.key), json_of(member.value));
  return members;
}

Json json_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::OBJECT:
      return json_of(value.get_object().value());
    case dom::element_type::ARRAY: {
      Json::array_t elements;
      const dom::array array = value.get_array().value();
      for (const dom::element element : array) elements.push_back(json_of(element));
      return elements;
    }
    case dom::element_type::INT64:
      return value.get_int64().value();
    case dom::element_type::UINT64:
      return value.get_uint64().value();
    case dom::element_type::DOUBLE:
      return value.get_double().value();
    case dom::element_type::STRING:
      return std::string(value.get_string().value());
    case dom::element_type::BOOL:
      return value.get_bool().value();
    case dom::element_type::NULL_VALUE:
      break;
  }
  return nullptr;
}

}  // namespace

std::string Event::to_line() const {
  return Json{{"v", kEventVersion}, {"n", number}, {"t", time_s}, {"kind", kind}, {"body", body}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

Event Event::from_line(std::string_view line) {
  const auto refuse = [&](const char* why) {
    return CorruptData(fmt::format("event line {}: {}", why, shown(Json(std::string(line)))));
  };
  const auto field = [&]<typename Value>(const dom::object& object, const char* key, Value) {
    Value value;
    if (object.at_key(key).get(value) != simdjson::SUCCESS) throw refuse("lacks a field or has it with a wrong type");
    return value;
  };
  dom::object object;
  const auto error = parser().parse(line.data(), line.size()).get(object);
  if (error == simdjson::DEPTH_ERROR) throw refuse("is nested too deep");
  if (error != simdjson::SUCCESS) throw refuse("is not a JSON object");
  if (field(object, "v", std::int64_t()) != kEventVersion) throw refuse("has an unknown version");
  Event event;
  event.number = field(object, "n", std::int64_t());
  event.time_s = field(object, "t", double());
  event.kind = field(object, "kind", std::string_view());
  event.body = json_of(field(object, "body", dom::object()));
  if (event.number < 1) throw refuse("has a number below 1");
  return event;
}

}  // namespace ditscale::common
