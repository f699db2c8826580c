#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace ditscale::analysis {

/// The whole program: `arguments` are the command line with the program's name first. Results go to `out`, errors and
/// notes to `err`. Returns the exit code (common/exit_code.hpp).
int run_cli(const std::vector<std::string>& arguments, const std::string& version, const std::string& revision,
            std::ostream& out, std::ostream& err);

}  // namespace ditscale::analysis
