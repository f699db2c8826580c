#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/json_document.hpp"

namespace ditscale::results {

/// Members of an event's body as the database keeps them: absent, null or of another type is NULL.
[[nodiscard]] inline std::optional<double> number_in(const common::Json& body, const char* key) {
  const auto found = body.find(key);
  if (found == body.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

[[nodiscard]] inline std::optional<std::int64_t> integer_in(const common::Json& body, const char* key) {
  const auto found = body.find(key);
  if (found == body.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

[[nodiscard]] inline std::optional<std::string> text_in(const common::Json& body, const char* key) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) return std::nullopt;
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace ditscale::results
