#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "worker/data/row_maker.hpp"

namespace ditscale::worker {

/// What decides about latents, of their VAE.
struct VaeFacts {
  std::int64_t latent_channels = 0;
  std::int64_t downsampling = 0;
  double scaling_factor = 1.0;
  std::string digest;
  /// No part of the store: the moments show it.
  std::int64_t norm_groups = 0;
};

/// Loads the VAE once to learn of it. Throws as Vae::load does.
[[nodiscard]] VaeFacts look_at_vae(const std::filesystem::path& path);

/// For latents: mean and standard deviation of the VAE's posterior, of the picture and, where the store has two flips,
/// of its mirror image. `device`: "auto", "cpu" or "cuda".
[[nodiscard]] std::unique_ptr<RowMaker> make_latent_rows(const StoreFacts& facts, const std::filesystem::path& vae,
                                                         const std::string& device);

}  // namespace ditscale::worker
