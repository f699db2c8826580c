#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/spec/model_spec.hpp"
#include "worker/model/flat_parameters.hpp"

namespace ditscale::worker {

/// A stretch of the flat buffers whose parameters learn alike, in elements.
struct LrRun {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  /// On train.lr.
  double factor = 1.0;
};

/// The whole layout as stretches as long as can be: one without muP.
[[nodiscard]] std::vector<LrRun> lr_runs(const FlatLayout& layout, const sweeps::ModelSpec& model);

}  // namespace ditscale::worker
