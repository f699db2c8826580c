#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "worker/data/prepare_plan.hpp"

namespace ditscale::worker {

/// An image that could not be decoded, and why.
struct DamagedImage {
  std::int64_t index = 0;
  std::string reason;
};

/// What has become of one image: called for each as it is done.
using ImageDone = std::function<void(bool damaged)>;

/// Does every shard that is neither done nor claimed by another process, and returns when there is none left. Any
/// number of processes may do this at once; a claim ends with its process. Throws SystemError when the disk fails;
/// everything done until then stays done.
void fill_shards(const PreparePlan& plan, const PartsPaths& paths, const ImageDone& done);

/// Whether the shard was done, by anyone.
[[nodiscard]] bool shard_is_done(const PartsPaths& paths, std::int64_t shard);

/// Damaged images of a shard that is done.
[[nodiscard]] std::vector<DamagedImage> damaged_of_shard(const PartsPaths& paths, std::int64_t shard);

}  // namespace ditscale::worker
