#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace ditscale::analysis {

/// Numbers that depend on (seed, stream) alone, the same with every library and on every thread: SplitMix64 (Steele et
/// al. 2014), started at a hash of both.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : state_(mixed(seed + kGolden * mixed(stream + 1))) {}

  [[nodiscard]] std::uint64_t next() { return mixed(state_ += kGolden); }
  /// Below `limit`; its bias is smaller than 1e-13 for limits below a million.
  [[nodiscard]] std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
  /// In (0, 1).
  [[nodiscard]] double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  [[nodiscard]] double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace ditscale::analysis
