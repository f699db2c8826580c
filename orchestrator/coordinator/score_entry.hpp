#pragma once

#include "common/json_document.hpp"
#include "sweeps/spec/evaluate_spec.hpp"

namespace ditscale::orchestrator {

/// Whether a score that was stored with these settings (worker/evaluation/score_settings.hpp) may be one by this entry
/// of `evaluate`, as far as both say the same things: digests of files against the files' names cannot be compared.
[[nodiscard]] bool is_score_of(const common::Json& settings, const common::Json& entry);

/// Settings of a score by this entry, as far as they can be told before it is made: is_score_of them holds.
[[nodiscard]] common::Json settings_of(const sweeps::EvaluateSpec& entry);

/// Whether an FID with these settings is the one that is shown of a trial with these entries: that of the first entry
/// with one. Where another entry's cannot be told from it, none is.
[[nodiscard]] bool is_shown_fid(const common::Json& settings, const common::Json& entries);

}  // namespace ditscale::orchestrator
