#include "results/stored_json.hpp"

#include "common/error.hpp"

namespace ditscale::results {

using common::Json;

StoredJson::StoredJson(std::string text) : state_(std::make_shared<State>()) { state_->text = std::move(text); }

const Json& StoredJson::value() const {
  static const Json kNull;
  if (!state_) return kNull;
  std::call_once(state_->once, [&] {
    state_->value = parse_stored(state_->text);
    state_->text = {};
  });
  return state_->value;
}

Json parse_stored(const std::string& text) {
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    throw common::CorruptData(fmt::format("stored JSON does not parse: {}", text.substr(0, 80)));
  return value;
}

}  // namespace ditscale::results
