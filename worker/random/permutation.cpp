#include "worker/random/permutation.hpp"

#include "common/error.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {
constexpr std::uint32_t kRounds = 4;
}

EpochPermutation::EpochPermutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t size)
    : seed_(seed), epoch_(epoch), size_(static_cast<std::uint64_t>(size)), half_bits_(1) {
  DITSCALE_CHECK(size > 0, "a permutation of {} elements was asked for", size);
  while ((std::uint64_t{1} << (2 * half_bits_)) < size_) ++half_bits_;
}

std::uint64_t EpochPermutation::round_trip(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const PhiloxStream stream(seed_, Purpose::kDataOrder, epoch_, round);
    const std::uint64_t mixed = stream.block(static_cast<std::uint32_t>(right))[0];
    const std::uint64_t next = (left ^ mixed) & mask;
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::int64_t EpochPermutation::at(std::int64_t position) const {
  DITSCALE_CHECK(position >= 0 && static_cast<std::uint64_t>(position) < size_, "position {} of {}", position, size_);
  auto value = static_cast<std::uint64_t>(position);
  do {
    value = round_trip(value);
  } while (value >= size_);
  return static_cast<std::int64_t>(value);
}

}  // namespace ditscale::worker
