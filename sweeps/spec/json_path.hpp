#pragma once

#include <string>
#include <utility>

#include "common/json_document.hpp"

namespace ditscale::sweeps {

/// Sets `path` ("model.width", "evaluate[0].steps") inside `root`, making objects on the way. A "model" (or
/// "base.model") given by a published name becomes {"name": …} when one of its fields is set. Throws ConfigError
/// (prefixed `where`) when the path cannot be.
void set_path(common::Json& root, const std::string& path, common::Json value, const std::string& where);

/// The value at `path`, made on the way as set_path makes it (null when it was not there). Throws as set_path does.
[[nodiscard]] common::Json& reach_path(common::Json& root, const std::string& path, const std::string& where);

/// The value at `path`, or null when there is none.
[[nodiscard]] common::Json value_at(const common::Json& root, const std::string& path);

/// The same as a pointer into `root`, so that a null that stands there differs from nothing (nullptr). Throws
/// ConfigError (prefixed `where`) when `path` has not the form of one.
[[nodiscard]] const common::Json* find_path(const common::Json& root, const std::string& path,
                                            const std::string& where);

/// Splits "model.width=64" at the first '='; the right side is JSON, or a bare string when it is not. Throws
/// UsageError for a missing '=', for broken lists, objects and quoted strings, and for text that is not UTF-8.
[[nodiscard]] std::pair<std::string, common::Json> parse_assignment(const std::string& text);

}  // namespace ditscale::sweeps
