#include <cstdio>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/doctor_checks.hpp"

namespace ditscale::orchestrator {

using common::ExitCode;

namespace {

const char* word_of(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kGood:
      return "good";
    case Finding::Kind::kNote:
      return "note";
    case Finding::Kind::kBad:
      break;
  }
  return "BAD";
}

}  // namespace

ExitCode doctor_command(const DoctorOptions& options, const Environment& environment) {
  const std::filesystem::path worker = options.worker.value_or(environment.program.parent_path() / "worker");
  bool good = true;
  common::Json document = common::Json::array();
  for (const Finding& finding : examine(options.runs, worker, environment.path)) {
    good = good && finding.kind != Finding::Kind::kBad;
    document.push_back({{"what", finding.what},
                        {"finding", word_of(finding.kind)},
                        {"text", finding.text},
                        {"advice", finding.advice}});
    if (options.json) continue;
    std::printf("%-4s  %-12s %s\n", word_of(finding.kind), finding.what.c_str(), finding.text.c_str());
    if (!finding.advice.empty()) std::printf("%20s%s\n", "-> ", finding.advice.c_str());
  }
  if (options.json) std::fputs((document.dump(2) + "\n").c_str(), stdout);
  return good ? ExitCode::kDone : ExitCode::kError;
}

}  // namespace ditscale::orchestrator
