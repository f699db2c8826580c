#pragma once

#include <string>

namespace ditscale::analysis {

/// Runs gnuplot on a script (through a file, never a shell). Throws SystemError when gnuplot is not installed (naming
/// the package), fails (with its words) or takes longer than a minute.
void run_gnuplot(const std::string& script);

}  // namespace ditscale::analysis
