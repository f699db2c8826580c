#pragma once

#include <cstdint>

namespace ditscale::worker {

/// A permutation of 0 … size-1 keyed by (seed, epoch) that is computed, not stored: a four-round Feistel network on the
/// next power of four, walked until it lands inside (cycle walking). Any position can be asked for at any time, so
/// resuming needs no state.
class EpochPermutation {
 public:
  EpochPermutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t size);
  [[nodiscard]] std::int64_t at(std::int64_t position) const;

 private:
  [[nodiscard]] std::uint64_t round_trip(std::uint64_t value) const;

  std::uint64_t seed_;
  std::uint64_t epoch_;
  std::uint64_t size_;
  unsigned half_bits_;
};

}  // namespace ditscale::worker
