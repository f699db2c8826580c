#include <iostream>
#include <string>
#include <vector>

#include "ditscale_version.hpp"

#include "analysis/commands/cli.hpp"
#include "common/standard_output.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  const int code =
      ditscale::analysis::run_cli(arguments, ditscale::kVersion, ditscale::kRevision, std::cout, std::cerr);
  return ditscale::common::exit_code_after_output("analysis", code);
}
