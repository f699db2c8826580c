#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace ditscale::common {

using Json = nlohmann::json;

/// A parsed JSON text that remembers where each value stood, so that every error can name file, line and JSON path.
struct JsonDocument {
  Json value;
  /// What errors call the text: a file name, or "--set model.width=3".
  std::string source;
  /// 1-based line of each value, keyed by JSON path ("model.depth", "evaluate[0].steps"); "" is the root.
  std::map<std::string, int> lines;
  /// For values that did not come from `source`: what to say instead of "file:line", keyed like `lines`.
  std::map<std::string, std::string> origins;
  /// For a document put together out of parts of another: where a path (and all below it) really stands, in the terms
  /// of `lines` and `origins` ("" → "base", "model.width" → "grid.model.width[2]").
  std::map<std::string, std::string> aliases;

  /// "file:12: model.depth" for use in messages. Where the path itself has no line, the line of what was written below
  /// it, else of the nearest thing above it.
  [[nodiscard]] std::string where(const std::string& path) const;
};

/// Parses JSON with comments allowed; duplicate keys, numbers beyond a double and nesting deeper than 64 are refused.
/// Throws ConfigError naming source and line; messages are valid UTF-8 whatever the text holds.
[[nodiscard]] JsonDocument parse_json(std::string_view text, std::string source);

/// The same from a file; files above 64 MiB are refused.
[[nodiscard]] JsonDocument read_json(const std::filesystem::path& path);

/// Path of member `key` of `parent`: "a" + "b" is "a.b"; "" + "b" is "b".
[[nodiscard]] std::string join_path(const std::string& parent, const std::string& key);
[[nodiscard]] std::string join_path(const std::string& parent, std::size_t index);

/// True when `path` is `ancestor` or stands below it: "a.b" and "a[0]" stand below "a", "ab" does not.
[[nodiscard]] bool stands_below(const std::string& path, const std::string& ancestor);

/// Canonical text: keys sorted, no spaces, numbers that read back the same. What is hashed.
[[nodiscard]] std::string canonical_text(const Json& value);

/// `text` with every byte that is not UTF-8 replaced by U+FFFD, so that it can be printed and stored.
[[nodiscard]] std::string valid_utf8(const std::string& text);

/// A JSON value as an error message shows it: its text, shortened to about 60 bytes.
[[nodiscard]] std::string shown(const Json& value);

}  // namespace ditscale::common
