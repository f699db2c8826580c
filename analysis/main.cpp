#include <iostream>
#include <string>
#include <vector>

#include "ditscale_version.hpp"

#include "analysis/commands/cli.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  return ditscale::analysis::run_cli(arguments, ditscale::kVersion, ditscale::kRevision, std::cout, std::cerr);
}
