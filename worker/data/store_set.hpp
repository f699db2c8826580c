#pragma once

#include "sweeps/spec/data_spec.hpp"
#include "worker/data/image_set.hpp"

namespace ditscale::worker {

/// The part of load_image_set for stores.
[[nodiscard]] ImageSet load_store_set(const sweeps::DataSpec& data, std::size_t held_in_memory_bytes);

}  // namespace ditscale::worker
