#include "slurm/batch_script.hpp"

#include <cmath>
#include <cstdint>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batch_script_template.hpp"

#include "slurm/quoting.hpp"

namespace ditscale::slurm {

namespace {

std::string directive(const std::string& argument) { return "#SBATCH " + directive_word(argument) + "\n"; }

std::string share_of_node(const JobRequest& request) {
  if (request.cpus_per_node) return directive(fmt::format("--cpus-per-task={}", *request.cpus_per_node));
  return directive("--exclusive") + directive("--mem=0");
}

/// Later lines count more, so the user's own come last.
std::string directives(const JobRequest& request) {
  std::string text = directive("--job-name=" + request.name) + directive(fmt::format("--nodes={}", request.num_nodes)) +
                     directive("--ntasks-per-node=1") + share_of_node(request);
  if (request.gpus_per_node) text += directive(fmt::format("--gpus-per-node={}", *request.gpus_per_node));
  if (request.limit_s) text += directive("--time=" + slurm_time(*request.limit_s));
  text += directive(fmt::format("--signal=B:USR2@{}", request.signal_before_end_s));
  // --no-kill: a lost node leaves the job the others.
  for (const char* each : {"--requeue", "--no-kill", "--open-mode=append"}) text += directive(each);
  text += directive("--output=" + output_pattern((request.log_folder / "").string()) + "job-%j.log");
  for (const std::string& argument : request.sbatch_arguments) text += directive(argument);
  text.pop_back();
  return text;
}

std::string words(const std::vector<std::string>& command) {
  std::vector<std::string> quoted;
  for (const std::string& word : command) quoted.push_back(shell_word(word));
  return fmt::format("{}", fmt::join(quoted, " "));
}

/// Slurm tells steps, not scripts, of a preemption, and a step on the last node outlives the first one. The parentheses
/// take it out of the hands of the program that gets the script's place.
std::string guard_step(const JobRequest& request) {
  if (request.guard.empty()) return {};
  return "(srun --overlap --nodes=1 --ntasks=1 --cpus-per-task=1 --relative=$((SLURM_JOB_NUM_NODES - 1)) --quiet \\\n"
         "  --input=none --error=/dev/null " +
         words(request.guard) + " &)\n";
}

/// One pass, so that nothing inside a value is taken for a place to fill.
std::string filled(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    const auto value = end == std::string::npos ? values.end() : values.find(text.substr(at + 1, end - at - 1));
    if (value == values.end()) {
      result += text[at++];
      continue;
    }
    result += value->second;
    at = end + 1;
  }
  return result;
}

}  // namespace

std::string slurm_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  constexpr std::int64_t kDay_s = 86400;
  const std::string days = whole >= kDay_s ? fmt::format("{}-", whole / kDay_s) : std::string();
  return fmt::format("{}{:02}:{:02}:{:02}", days, whole % kDay_s / 3600, whole / 60 % 60, whole % 60);
}

std::string render_batch_script(const JobRequest& request) {
  // Slurm's controller takes the file word for word; `.` is the POSIX name of `source`.
  const std::string source =
      request.source ? fmt::format(". {} || exit 1\n", shell_word(request.source->string())) : std::string();
  return filled(kBatchScriptTemplate, {{"directives", directives(request)},
                                       {"folder", shell_word(request.folder.string())},
                                       {"source", source},
                                       {"guard", guard_step(request)},
                                       {"command", words(request.command)}});
}

}  // namespace ditscale::slurm
