#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include <unistd.h>

namespace ditscale::test {

/// For a death test: ends the process with 0 when `succeeds()` is true for a user whom permissions bind. `folder` is
/// opened to that user, who may be another one than the test's.
template <typename Work>
[[noreturn]] void without_root(const std::filesystem::path& folder, Work&& succeeds) {
  constexpr uid_t kNobody = 65534;
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  try {
    const bool bound = ::geteuid() != 0 || ::setuid(kNobody) == 0;
    std::_Exit(bound && succeeds() ? 0 : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::_Exit(1);
  }
}

}  // namespace ditscale::test
