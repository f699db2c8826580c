#pragma once

#include <cstdint>
#include <string>

namespace ditscale::worker {

/// Four bytes, the highest first, as IDX files have their numbers.
inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

}  // namespace ditscale::worker
