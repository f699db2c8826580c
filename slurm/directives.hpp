#pragma once

#include <string>
#include <vector>

namespace ditscale::slurm {

/// The options of a batch script's #SBATCH lines, in their order, as sbatch reads them: words with quotes and
/// backslashes, up to a '#', of the lines before the first command.
[[nodiscard]] std::vector<std::string> directives_of(const std::string& script);

}  // namespace ditscale::slurm
