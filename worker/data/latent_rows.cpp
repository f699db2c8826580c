#include "worker/data/latent_rows.hpp"

#include <cstring>
#include <utility>

#include "common/error.hpp"
#include "worker/torch.hpp"
#include "worker/training/device.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

namespace {

class LatentRows final : public RowMaker {
 public:
  LatentRows(const StoreFacts& facts, Vae vae) : facts_(facts), vae_(std::move(vae)) {}

  void make(const std::vector<Picture>& pictures, std::span<std::byte> rows) override {
    const torch::Tensor images = images_of(pictures);
    std::vector<torch::Tensor> flips{moments(images)};
    if (facts_.flips == 2) flips.push_back(moments(images.flip(3)));
    const torch::Tensor all = torch::stack(flips, 1).to(facts_.type).contiguous();  // (n, flips, 2 C, h, w)
    DITSCALE_CHECK(all.nbytes() == rows.size(), "{} bytes of moments for {} bytes of rows", all.nbytes(), rows.size());
    std::memcpy(rows.data(), all.const_data_ptr(), rows.size());
  }

 private:
  /// In [-1, 1].
  [[nodiscard]] torch::Tensor images_of(const std::vector<Picture>& pictures) const {
    constexpr std::int64_t kColours = 3;
    const auto count = static_cast<std::int64_t>(pictures.size());
    torch::Tensor bytes = torch::empty({count, kColours, facts_.image_size, facts_.image_size}, torch::kByte);
    for (std::int64_t i = 0; i < count; ++i)
      copy_planes(pictures[static_cast<std::size_t>(i)], kColours, bytes[i].data_ptr<std::uint8_t>());
    return bytes.to(torch::kFloat32) / 127.5 - 1.0;
  }

  /// Mean and standard deviation in place of the VAE's mean and log variance.
  [[nodiscard]] torch::Tensor moments(const torch::Tensor& images) const {
    const auto halves = vae_.encode_moments(images).to(torch::kCPU).chunk(2, 1);
    return torch::cat({halves[0], (0.5 * halves[1]).exp()}, 1);
  }

  StoreFacts facts_;
  Vae vae_;
};

}  // namespace

VaeFacts look_at_vae(const std::filesystem::path& path) {
  const Vae vae = Vae::load(path, torch::kCPU);
  return {vae.latent_channels(), vae.downsampling(), vae.scaling_factor(), vae.digest(), vae.config().norm_groups};
}

std::unique_ptr<RowMaker> make_latent_rows(const StoreFacts& facts, const std::filesystem::path& path,
                                           const std::string& device) {
  Vae vae = Vae::load(path, choose_device(device, 0));
  if (vae.digest() != facts.vae_digest)
    throw common::ConfigError(fmt::format("{}: it has changed since this preparation began (digest {}, then {})",
                                          path.string(), vae.digest(), facts.vae_digest));
  return std::make_unique<LatentRows>(facts, std::move(vae));
}

}  // namespace ditscale::worker
