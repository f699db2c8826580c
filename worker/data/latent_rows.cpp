#include "worker/data/latent_rows.hpp"

#include "common/error.hpp"

namespace ditscale::worker {
VaeFacts look_at_vae(const std::filesystem::path&) {
  throw common::UsageError("--space latents needs the VAE, which this build does not have");
}
std::unique_ptr<RowMaker> make_latent_rows(const StoreFacts&, const std::filesystem::path&, const std::string&) {
  throw common::UsageError("--space latents needs the VAE, which this build does not have");
}
}  // namespace ditscale::worker
