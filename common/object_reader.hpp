#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::common {

/// Allowed values of a number, both ends included unless said otherwise.
struct Range {
  double low = -1e308;
  double high = 1e308;
  bool low_open = false;
};

/// Reads one JSON object strictly: each `get` takes a member of a known type and range, `finish` refuses what is left
/// over. Every error is a ConfigError with file, line, JSON path, what was found and what is allowed. The document must
/// outlive the reader.
class ObjectReader {
 public:
  /// `path` is the object's place in the document; the value itself is checked to be an object.
  ObjectReader(const JsonDocument& document, const Json& value, std::string path);

  [[nodiscard]] bool has(const std::string& key) const;

  /// Each takes the member when present (and not null) and leaves `out` as it was otherwise.
  void get(const std::string& key, std::int64_t& out, Range range = {});
  void get(const std::string& key, std::optional<std::int64_t>& out, Range range = {});
  void get(const std::string& key, double& out, Range range = {});
  void get(const std::string& key, std::optional<double>& out, Range range = {});
  void get(const std::string& key, bool& out);
  void get(const std::string& key, std::string& out);
  void get(const std::string& key, std::optional<std::string>& out);
  /// A string that must be one of `allowed`.
  void get_choice(const std::string& key, std::string& out, const std::vector<std::string>& allowed);

  /// The member itself for nested objects and arrays, or null when absent. Marks it as known.
  [[nodiscard]] const Json* child(const std::string& key);
  [[nodiscard]] std::string path_of(const std::string& key) const { return join_path(path_, key); }

  /// Throws when the object has members nobody asked for; names the nearest known one.
  void finish() const;

  /// Throws ConfigError at member `key` (or at the object itself when `key` is empty).
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  const Json* find(const std::string& key);
  void check_range(const std::string& key, double value, const Range& range) const;

  const JsonDocument& document_;
  const Json& value_;
  std::string path_;
  std::set<std::string> known_;
};

/// The number when it is whole and fits: 3, 3.0 and 3e0 are the same to a user. Empty for anything else.
[[nodiscard]] std::optional<std::int64_t> whole_number(const Json& value);

/// The candidate closest in spelling to `word`, or empty when none is near. For "did you mean".
[[nodiscard]] std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace ditscale::common
