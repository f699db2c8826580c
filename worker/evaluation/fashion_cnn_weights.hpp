#pragma once

#include <cstddef>
#include <span>

namespace ditscale::worker {

/// The bytes of worker/evaluation/fashion_cnn.h5 as they were when this program was built.
[[nodiscard]] std::span<const std::byte> fashion_cnn_weights();

}  // namespace ditscale::worker
