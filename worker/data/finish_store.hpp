#pragma once

#include <string>
#include <vector>

#include "worker/data/prepare_plan.hpp"
#include "worker/data/prepare_shards.hpp"

namespace ditscale::worker {

/// All damaged images, in order. Throws InternalError when a shard is not done.
[[nodiscard]] std::vector<DamagedImage> collect_damaged(const PreparePlan& plan, const PartsPaths& paths);

/// Moves the store whose shards are all done to its place, without the damaged images; where there are some, the good
/// rows are copied once. Returns the facts of what lies there now. Killed anywhere, it can be called again.
/// Throws CorruptData when no image is good.
StoreFacts finish_parts(const PreparePlan& plan, const PartsPaths& paths, const std::vector<DamagedImage>& damaged);

}  // namespace ditscale::worker
