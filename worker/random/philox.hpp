#pragma once

#include <array>
#include <cstdint>

namespace ditscale::worker {

/// Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11): the
/// same key and counter give the same 128 bits everywhere, so that nothing about randomness has to be stored or handed
/// on.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

/// What a random number is for. Part of every counter: numbers of different purposes never repeat each other. Stored in
/// the meaning of seeds, never renumber.
enum class Purpose : std::uint32_t {
  kTimestep = 1,
  kNoise = 2,
  kLabelDrop = 3,
  kFlip = 4,
  kDataOrder = 5,
  kSampleStart = 6,
  kSampleStep = 7,
  kSampleLabel = 8,
  kInitialisation = 9,
  kPosterior = 10,
};

/// A stream of random bits for one (seed, purpose, index): `index` is the global image index in training, the sample's
/// in sampling.
class PhiloxStream {
 public:
  /// `sub` tells streams of one index apart (the sampling step).
  PhiloxStream(std::uint64_t seed, Purpose purpose, std::uint64_t index, std::uint32_t sub = 0);

  /// Block number `block` of this stream.
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint32_t block) const;
  /// Uniform in [0, 1), from the first word.
  [[nodiscard]] double uniform() const;
  /// Uniform in 0 … bound-1, from the first word. `bound` below 2^32.
  [[nodiscard]] std::int64_t below(std::int64_t bound) const;
  /// Fills `out` with `count` standard normals (Box–Muller).
  void fill_normal(float* out, std::int64_t count) const;

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
};

}  // namespace ditscale::worker
