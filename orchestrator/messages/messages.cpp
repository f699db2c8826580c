#include "orchestrator/messages/messages.hpp"

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::orchestrator {

using common::Json;

namespace {

/// Both ends are the same program of one MPI job, so the kinds are free to change with the code.
constexpr const char* kKind = "kind";

template <typename Value>
Json json_of(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

template <typename Value>
std::optional<Value> optional_from(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional<Value>(json.get<Value>());
}

Json json_of(const Devices& devices) { return {{"cpus", devices.cpus}, {"gpus", devices.gpus}}; }

Devices devices_from(const Json& json) {
  return {json.at("cpus").get<std::vector<int>>(), json.at("gpus").get<std::vector<std::string>>()};
}

Shares shares_from(const Json& json) {
  Shares shares;
  for (const Json& share : json) {
    shares.push_back({share.at("agent").get<int>(), share.at("host").get<std::string>(),
                      share.at("processes").get<std::int64_t>(), devices_from(share.at("devices"))});
  }
  return shares;
}

/// MessagePack strings should be UTF-8, and a trainer's log may hold anything.
std::string valid_utf8(const std::string& text) {
  if (text.empty()) return text;
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

template <typename AnyMessage>
Json with_attempt(const char* kind, const AnyMessage& message) {
  return {{kKind, kind}, {"trial", message.trial.str()}, {"attempt", common::to_int(message.attempt)}};
}

Json to_json(const HelloMessage& hello) {
  return {{kKind, "hello"},
          {"host", hello.host},
          {"devices", json_of(hello.devices)},
          {"node", hello.node},
          {"gpu_name", hello.gpu_name}};
}

Json to_json(const LinesMessage& lines) {
  Json json = with_attempt("lines", lines);
  json["lines"] = lines.lines;
  return json;
}

Json to_json(const EndedMessage& ended) {
  Json json = with_attempt("ended", ended);
  json["code"] = json_of(ended.code);
  json["signal"] = json_of(ended.signal);
  json["how"] = ended.how;
  json["silent_s"] = json_of(ended.silent_s);
  json["log_tail"] = valid_utf8(ended.log_tail);
  json["lines"] = ended.lines;
  return json;
}

Json to_json(const StartMessage& start) {
  Json json = with_attempt("start", start);
  json["folder"] = start.folder;
  for (const Share& share : start.shares) {
    json["shares"].push_back({{"agent", share.agent},
                              {"host", share.host},
                              {"processes", share.processes},
                              {"devices", json_of(share.devices)}});
  }
  return json;
}

Json to_json(const StopMessage& stop) {
  Json json = with_attempt("stop", stop);
  json["kill"] = stop.kill;
  return json;
}

Json to_json(const ShutdownMessage&) { return {{kKind, "shutdown"}}; }

common::TrialId trial_in(const Json& json) { return common::TrialId(json.at("trial").get<std::string>()); }

common::AttemptNumber attempt_in(const Json& json) {
  return common::AttemptNumber{json.at("attempt").get<std::int32_t>()};
}

Message message_from(Json json) {
  const auto kind = json.at(kKind).get<std::string>();
  if (kind == "hello") {
    return HelloMessage{json.at("host").get<std::string>(), devices_from(json.at("devices")),
                        json.at("node").get<std::string>(), json.at("gpu_name").get<std::string>()};
  }
  if (kind == "lines") {
    return LinesMessage{trial_in(json), attempt_in(json), std::move(json.at("lines").get_ref<std::string&>())};
  }
  if (kind == "ended") {
    return EndedMessage{trial_in(json),
                        attempt_in(json),
                        optional_from<int>(json.at("code")),
                        optional_from<int>(json.at("signal")),
                        json.at("how").get<std::string>(),
                        optional_from<double>(json.at("silent_s")),
                        json.at("log_tail").get<std::string>(),
                        std::move(json.at("lines").get_ref<std::string&>())};
  }
  if (kind == "start") {
    return StartMessage{trial_in(json), attempt_in(json), json.at("folder").get<std::string>(),
                        shares_from(json.at("shares"))};
  }
  if (kind == "stop") return StopMessage{trial_in(json), attempt_in(json), json.at("kill").get<bool>()};
  if (kind == "shutdown") return ShutdownMessage{};
  throw common::CorruptData(fmt::format("a message of the unknown kind \"{}\" between coordinator and agent", kind));
}

}  // namespace

std::vector<std::uint8_t> encode(const Message& message) {
  return Json::to_msgpack(std::visit([](const auto& each) { return to_json(each); }, message));
}

Message decode(const std::vector<std::uint8_t>& bytes) {
  try {
    return message_from(Json::from_msgpack(bytes));
  } catch (const Json::exception& error) {
    throw common::CorruptData(fmt::format("a message between coordinator and agent cannot be read: {}", error.what()));
  }
}

}  // namespace ditscale::orchestrator
