#pragma once

#include <string>
#include <string_view>

namespace ditscale::common {

/// XXH3, 64 bits, of `bytes` as 16 lower-case hex digits. Not for secrets.
[[nodiscard]] std::string hash_hex64(std::string_view bytes);

/// XXH3, 128 bits, as 32 lower-case hex digits: digests of files and weights.
[[nodiscard]] std::string hash_hex128(std::string_view bytes);

}  // namespace ditscale::common
