#pragma once

#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "common/object_reader.hpp"

namespace ditscale::sweeps {

/// The "exclude" rules of a sweep: [{path: value, …}, …]. A cell meets a rule when its trial has all these values.
class ExcludeRules {
 public:
  /// Throws ConfigError unless the member is a list of objects that are not empty.
  ExcludeRules(common::ObjectReader& reader, const common::JsonDocument& document);

  [[nodiscard]] bool empty() const { return rules_.empty(); }

  /// The first rule that `trial` (as written, or resolved) meets, as text; empty when it meets none.
  [[nodiscard]] std::string met_by(const common::Json& trial);

  /// Throws ConfigError for a condition that could not be met by any trial seen so far, because none had the field or a
  /// value of its type: a typing error that would let unwanted cells run.
  void check_all_possible() const;

 private:
  struct Condition {
    std::string path;
    common::Json value;
    /// "file:12: exclude[0].model.width".
    std::string where;
    bool field_seen = false;
    bool type_seen = false;
  };
  struct Rule {
    std::string text;
    std::vector<Condition> conditions;
  };
  static bool meets(const common::Json& trial, Condition& condition);

  std::vector<Rule> rules_;
};

/// Member `key` as a list of objects that are not empty; null when absent. Throws ConfigError.
[[nodiscard]] const common::Json* list_of_objects(common::ObjectReader& reader, const std::string& key);

}  // namespace ditscale::sweeps
