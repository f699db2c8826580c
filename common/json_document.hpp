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
  /// What errors call the text: a file name, or "--set model.width".
  std::string source;
  /// 1-based line of each value, keyed by JSON path ("model.depth", "evaluate[0].steps"); "" is the root.
  std::map<std::string, int> lines;

  /// "file:12: model.depth" for use in messages; the nearest known ancestor's line where the path itself has none.
  [[nodiscard]] std::string where(const std::string& path) const;
};

/// Parses JSON with comments allowed; duplicate keys, non-finite numbers and nesting deeper than 64 are refused.
/// Throws ConfigError naming source and line.
[[nodiscard]] JsonDocument parse_json(std::string_view text, std::string source);

/// The same from a file; files above 64 MiB are refused.
[[nodiscard]] JsonDocument read_json(const std::filesystem::path& path);

/// Path of member `key` of `parent`: "a" + "b" is "a.b"; "" + "b" is "b".
[[nodiscard]] std::string join_path(const std::string& parent, const std::string& key);
[[nodiscard]] std::string join_path(const std::string& parent, std::size_t index);

/// Canonical text: keys sorted, no spaces, shortest numbers that read back the same. What is hashed.
[[nodiscard]] std::string canonical_text(const Json& value);

}  // namespace ditscale::common
