#include "orchestrator/launcher/verdict.hpp"

#include <charconv>

#include "common/atomic_file.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

void write_verdict(const std::filesystem::path& file, ExitCode code) {
  common::write_file_atomically(file, std::to_string(common::to_int(code)));
}

std::optional<ExitCode> read_verdict(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const std::string text = common::read_file(file);
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  const bool good = error == std::errc() && end == text.data() + text.size() && code >= 0 &&
                    code <= common::to_int(ExitCode::kNothingToDo);
  return good ? std::optional<ExitCode>(static_cast<ExitCode>(code)) : std::nullopt;
}

}  // namespace ditscale::orchestrator
