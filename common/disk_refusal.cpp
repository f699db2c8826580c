#include "common/disk_refusal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ditscale::common {

bool is_disk_refusal(std::string_view message) {
  constexpr int kRefusals[]{ENOSPC, EDQUOT, EROFS};
  return std::any_of(std::begin(kRefusals), std::end(kRefusals),
                     [&](int code) { return message.find(std::strerror(code)) != std::string_view::npos; });
}

}  // namespace ditscale::common
