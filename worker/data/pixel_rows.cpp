#include "common/error.hpp"
#include "worker/data/row_maker.hpp"

namespace ditscale::worker {

namespace {

class PixelRows final : public RowMaker {
 public:
  explicit PixelRows(std::int64_t channels) : channels_(channels) {}

  void make(const std::vector<Picture>& pictures, std::span<std::byte> rows) override {
    for (const Picture& picture : pictures) {
      const auto row_bytes = static_cast<std::size_t>(channels_ * picture.width * picture.height);
      DITSCALE_CHECK(rows.size() >= row_bytes, "no room for {} pictures", pictures.size());
      copy_planes(picture, channels_, reinterpret_cast<std::uint8_t*>(rows.data()));
      rows = rows.subspan(row_bytes);
    }
  }

 private:
  std::int64_t channels_;
};

}  // namespace

void copy_planes(const Picture& picture, std::int64_t channels, std::uint8_t* out) {
  const std::int64_t num_pixels = picture.width * picture.height;
  const std::uint8_t* from = picture.bytes.get();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < num_pixels; ++i) out[c * num_pixels + i] = from[i * kPixel_bytes + c];
  }
}

std::unique_ptr<RowMaker> make_pixel_rows(const StoreFacts& facts) {
  return std::make_unique<PixelRows>(facts.channels);
}

}  // namespace ditscale::worker
