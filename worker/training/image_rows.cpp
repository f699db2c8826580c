#include "worker/training/image_rows.hpp"

#include <algorithm>

#include <c10/util/Half.h>

#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {

std::vector<std::int64_t> shape_of(const ImageSet& images) {
  if (images.images.defined()) return images.images.sizes().slice(1).vec();
  const StoreFacts& facts = images.store->facts();
  return {facts.channels, facts.side, facts.side};
}

std::vector<std::int64_t> context_shape_of(const ImageSet& images) {
  if (images.store == nullptr || !images.store->facts().has_context()) return {};
  return {images.store->facts().context_tokens, images.store->facts().context_width};
}

/// float32 numbers of stored float16 or float32 ones.
void widen(const std::byte* from, at::ScalarType type, std::int64_t count, float* out) {
  if (type == at::kFloat) {
    std::copy_n(reinterpret_cast<const float*>(from), count, out);
  } else {
    std::copy_n(reinterpret_cast<const c10::Half*>(from), count, out);
  }
}

}  // namespace

ImageRows::ImageRows(const ImageSet& images, const sweeps::TrialSpec& trial)
    : images_(images),
      seed_(static_cast<std::uint64_t>(trial.seed)),
      flip_(trial.data.flip),
      shape_(shape_of(images)),
      context_shape_(context_shape_of(images)) {}

bool ImageRows::flipped(std::int64_t global) const {
  return flip_ && PhiloxStream(seed_, Purpose::kFlip, static_cast<std::uint64_t>(global)).uniform() < 0.5;
}

void ImageRows::fill(std::int64_t row, std::int64_t global, float* x0, float* context) const {
  if (!images_.images.defined()) return fill_stored(row, global, x0, context);
  const std::int64_t stride = shape_[0] * shape_[1] * shape_[2];
  fill_pixels(images_.images.const_data_ptr<std::uint8_t>() + row * stride, flipped(global), x0);
}

void ImageRows::fill_pixels(const std::uint8_t* pixels, bool flip, float* x0) const {
  const std::int64_t height = shape_[0] * shape_[1], width = shape_[2];
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const std::int64_t from = flip ? width - 1 - column : column;
      x0[row * width + column] = static_cast<float>(pixels[row * width + from]) * (1.0F / 127.5F) - 1.0F;
    }
  }
}

void ImageRows::fill_stored(std::int64_t row, std::int64_t global, float* x0, float* context) const {
  const Store& store = *images_.store;
  // Kept by the thread: a row is too large to be taken from the system each time.
  thread_local std::vector<std::byte> bytes, embedding;
  bytes.resize(store.row_bytes());
  embedding.resize(store.context_bytes());
  store.read(row, bytes, embedding);
  if (store.facts().latents) {
    fill_latents(bytes.data(), global, flipped(global), x0);
  } else {
    fill_pixels(reinterpret_cast<const std::uint8_t*>(bytes.data()), flipped(global), x0);
  }
  if (context != nullptr)
    widen(embedding.data(), store.facts().context_type, context_shape_[0] * context_shape_[1], context);
}

void ImageRows::fill_latents(const std::byte* moments, std::int64_t global, bool flip, float* x0) const {
  const StoreFacts& facts = images_.store->facts();
  const std::int64_t height = shape_[0] * shape_[1], width = shape_[2], count = height * width;
  const bool stored_flip = flip && facts.flips == 2;
  if (stored_flip) moments += 2 * count * static_cast<std::int64_t>(at::elementSize(facts.type));
  thread_local std::vector<float> both;  // mean, then deviation
  both.resize(static_cast<std::size_t>(2 * count));
  widen(moments, facts.type, 2 * count, both.data());
  PhiloxStream(seed_, Purpose::kPosterior, static_cast<std::uint64_t>(global)).fill_normal(x0, count);
  const auto scale = static_cast<float>(facts.scaling_factor);
  for (std::int64_t i = 0; i < count; ++i)
    x0[i] = (both[static_cast<std::size_t>(i)] + both[static_cast<std::size_t>(count + i)] * x0[i]) * scale;
  if (!flip || stored_flip) return;
  for (std::int64_t row = 0; row < height; ++row) std::reverse(x0 + row * width, x0 + (row + 1) * width);
}

void ImageRows::will_need(std::int64_t row) const noexcept {
  if (images_.store != nullptr) images_.store->will_need(row);
}

}  // namespace ditscale::worker
