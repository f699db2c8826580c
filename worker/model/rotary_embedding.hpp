#pragma once

#include <cstdint>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// 2-D rotary position embedding (Su et al. 2021, in two dimensions as in Heo et al. 2024, axial form): of each head's
/// channels the first half is turned by the token's column, the second by its row. Within a half of h channels, channel
/// k and k + h/2 turn together by position · 10000^(-k / (h/2)), k = 0 … h/2 - 1.
struct RotaryTables {
  torch::Tensor cosine;  // (T, D/H)
  torch::Tensor sine;    // (T, D/H)
};

/// Tables of side² image tokens, row-major, then `extra` tokens that are not turned. float32.
[[nodiscard]] RotaryTables rotary_tables(std::int64_t side, std::int64_t head_width, std::int64_t extra);

/// Turned queries or keys. x (N, H, T, D/H) → the same.
[[nodiscard]] torch::Tensor rotate(const torch::Tensor& x, const RotaryTables& tables);

}  // namespace ditscale::worker
