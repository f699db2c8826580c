#include "orchestrator/launcher/verdict.hpp"

#include "common/atomic_file.hpp"
#include "common/text.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

void write_verdict(const std::filesystem::path& file, ExitCode code) {
  common::write_file_atomically(file, std::to_string(common::to_int(code)));
}

std::optional<ExitCode> read_verdict(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const auto code = common::count_in(common::read_file(file));
  if (!code || *code > common::to_int(ExitCode::kNothingToDo)) return std::nullopt;
  return static_cast<ExitCode>(*code);
}

}  // namespace ditscale::orchestrator
