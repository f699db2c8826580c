#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "common/json_document.hpp"

namespace ditscale::results {

/// JSON as the database keeps it, parsed when it is first looked at: a study may have 10,000 configurations, and most
/// commands look at few of them. Copies share what was parsed; several threads may look.
class StoredJson {
 public:
  /// null
  StoredJson() = default;
  explicit StoredJson(std::string text);
  /// Throws CorruptData when the text is no JSON.
  [[nodiscard]] const common::Json& value() const;

 private:
  struct State {
    std::string text;
    std::once_flag once;
    common::Json value;
  };
  std::shared_ptr<State> state_;
};

/// Parses a column. Throws CorruptData when it is no JSON.
[[nodiscard]] common::Json parse_stored(const std::string& text);

}  // namespace ditscale::results
