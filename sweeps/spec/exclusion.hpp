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

  /// The first rule that `trial` (as written, or resolved) meets, as text; empty when it meets none. All rules look at
  /// it.
  [[nodiscard]] std::string met_by(const common::Json& trial);

  /// Throws ConfigError for a rule that no trial seen so far met, with the values that there are: a typing error that
  /// would let unwanted cells run. Rules about values that a `--set` changed may have lost their cells to it.
  void check_all_met() const;

 private:
  struct Condition {
    std::string path;
    common::Json value;
    /// "file:12: exclude[0].model.width".
    std::string where;
    bool field_seen = false;
    bool type_seen = false;
    /// The first few that trials had.
    std::vector<common::Json> values_seen{};
    /// By a `--set`.
    bool assigned = false;
  };
  struct Rule {
    std::string text;
    /// "file:12: exclude[0]".
    std::string where;
    std::vector<Condition> conditions;
    bool met = false;
  };
  static void check_possible(const Condition& condition);
  static bool meets(const common::Json& trial, Condition& condition);

  std::vector<Rule> rules_;
};

/// Member `key` as a list of objects that are not empty; null when absent. Throws ConfigError.
[[nodiscard]] const common::Json* list_of_objects(common::ObjectReader& reader, const std::string& key);

}  // namespace ditscale::sweeps
