#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::sweeps {

/// Applies the `--set` texts to a sweep document, in order. A path that starts with a key of the sweep file ("name",
/// "seeds", "grid.model.width") is meant as it stands; any other is a path in the trial, so "train.steps" sets
/// "base.train.steps". Errors about values set here name the assignment instead of a line.
/// Throws UsageError (no assignment) or ConfigError (a path that cannot be).
void apply_assignments(common::JsonDocument& document, const std::vector<std::string>& texts);

/// Refuses assignments to the base that would be lost because `setters` (path in the trial → place in the sweep file)
/// set the same again.
void check_none_is_lost(const common::JsonDocument& document, const std::map<std::string, std::string>& setters);

/// Whether a `--set` gave the field `path` of the trials, what holds it or what is in it other values than the file
/// has.
[[nodiscard]] bool is_assigned(const common::JsonDocument& document, const std::string& path);

}  // namespace ditscale::sweeps
