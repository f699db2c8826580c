#pragma once

#include <string>

#include "orchestrator/cli/options.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// "2/4". Throws UsageError.
[[nodiscard]] Shard parse_shard(const std::string& text);

/// The name of a shard's study: "demo.shard-2-of-4".
[[nodiscard]] std::string shard_name(const std::string& sweep_name, const Shard& shard);

/// The cells of one shard: each cell, largest first by its assumed device seconds, goes to the shard that has least.
/// It depends on the sweep file alone, so every start of a shard has the same cells.
[[nodiscard]] sweeps::Sweep shard_of(sweeps::Sweep sweep, const Shard& shard);

/// The chosen sweep, or the chosen shard of it under the shard's name. Errors are those of load_sweep.
[[nodiscard]] sweeps::Sweep load_sweep(const SweepChoice& choice);

}  // namespace ditscale::orchestrator
