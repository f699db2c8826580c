#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace ditscale::common {

/// What a person is told of a wrong command line; for CLI::App::failure_message. An argument that nothing takes is
/// named first, whatever CLI11 complains of, with the command or option that is spelt like it.
[[nodiscard]] std::string usage_text(const CLI::App* app, const CLI::Error& error);

}  // namespace ditscale::common
