#pragma once

#include <string_view>

namespace ditscale::common {

/// Whether the message of a failed call gives a reason for which a disk takes nothing more: it is full, over quota or
/// read-only. Told by the text of the errno, which all that write here take into their messages, libraries too.
[[nodiscard]] bool is_disk_refusal(std::string_view message);

}  // namespace ditscale::common
