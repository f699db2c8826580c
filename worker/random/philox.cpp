#include "worker/random/philox.hpp"

#include <cmath>
#include <numbers>

namespace ditscale::worker {

namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kPhiloxRounds = 10;
constexpr int kPurposeShift = 24;  // the step of a sampler stays below 2^24

/// Two independent standard normals from two uniform words.
void box_muller(std::uint32_t a, std::uint32_t b, float* out) {
  constexpr float kScale = 0x1p-32F;
  const float u = std::fma(static_cast<float>(a), kScale, 0.5F * kScale);  // in (0, 1]
  const float angle = 2.0F * std::numbers::pi_v<float> * (static_cast<float>(b) * kScale);
  const float radius = std::sqrt(-2.0F * std::log(u));
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c[0];
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += kWeyl0;
    k[1] += kWeyl1;
  }
  return c;
}

PhiloxStream::PhiloxStream(std::uint64_t seed, Purpose purpose, std::uint64_t index, std::uint32_t sub)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, (static_cast<std::uint32_t>(purpose) << kPurposeShift) | sub, static_cast<std::uint32_t>(index),
               static_cast<std::uint32_t>(index >> 32)} {}

std::array<std::uint32_t, 4> PhiloxStream::block(std::uint32_t block) const {
  std::array<std::uint32_t, 4> counter = counter_;
  counter[0] = block;
  return philox4x32(counter, key_);
}

double PhiloxStream::uniform() const { return static_cast<double>(block(0)[0]) * 0x1p-32; }

std::int64_t PhiloxStream::below(std::int64_t bound) const {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(block(0)[0]) * static_cast<std::uint64_t>(bound)) >> 32);
}

void PhiloxStream::fill_normal(float* out, std::int64_t count) const {
  for (std::int64_t at = 0; at < count; at += 4) {
    const auto bits = block(static_cast<std::uint32_t>(at / 4));
    float four[4];
    box_muller(bits[0], bits[1], four);
    box_muller(bits[2], bits[3], four + 2);
    for (std::int64_t i = 0; i < 4 && at + i < count; ++i) out[at + i] = four[i];
  }
}

}  // namespace ditscale::worker
