#pragma once

#include <string_view>

namespace ditscale::common {

/// The exit code of a program that would end with `code`: writes out what stdout still holds, and where not all that
/// was printed has arrived (a full disk), says so on stderr and makes an error of a success. A reader that has gone
/// (`| head`) has what it wanted: neither a word nor another code.
[[nodiscard]] int exit_code_after_output(std::string_view program, int code);

}  // namespace ditscale::common
