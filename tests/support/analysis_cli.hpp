#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "analysis/commands/cli.hpp"

namespace ditscale::test {

/// What a command line of `analysis` ended with and wrote.
struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

[[nodiscard]] inline Answer run_analysis(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "analysis");
  std::ostringstream out;
  std::ostringstream err;
  const int code = analysis::run_cli(arguments, "0.1", "abc", out, err);
  return {code, out.str(), err.str()};
}

}  // namespace ditscale::test
