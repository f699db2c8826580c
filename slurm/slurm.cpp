#include "slurm/slurm.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include <fmt/ranges.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "slurm/directives.hpp"
#include "slurm/output.hpp"

namespace ditscale::slurm {

namespace {

using Argv = std::vector<std::string>;

constexpr int kSignalBase = 128;

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

[[noreturn]] void fail(const Argv& argv, const CommandResult& result, const std::string& advice) {
  throw common::SystemError(fmt::format("{}. {}", describe(argv, result), advice));
}

/// squeue's answer to an id that it no longer knows, when it was asked for one only.
bool forgotten(const CommandResult& result) { return result.err.find("Invalid job id") != std::string::npos; }

/// "mixed*" does not answer; the others take no steps.
bool can_run(const std::string& state) {
  if (state.find('*') != std::string::npos) return false;
  for (const char* bad : {"down", "fail", "drained", "unknown", "power", "reboot"}) {
    if (state.rfind(bad, 0) == 0) return false;
  }
  return true;
}

}  // namespace

Slurm::Slurm(const Policy& policy, Sleep sleep, Notice notice)
    : policy_(policy), sleep_(std::move(sleep)), notice_(std::move(notice)) {}

Slurm::Slurm(Notice notice) : Slurm(Policy(), sleep_for, std::move(notice)) {}

std::string Slurm::submit(const std::filesystem::path& script, const std::string& comment) const {
  const Argv shown{"sbatch", script.string()};
  double wait_s = policy_.retry_wait_s;
  for (;;) {
    const CommandResult result = sbatch(script, {"--parsable", "--comment=" + comment});
    const auto id = parse_sbatch(result.out);
    if (result.code == 0 && id) return *id;
    const Trouble trouble = result.code == 0 ? Trouble::kAnswerLost : trouble_of(result);
    if (trouble == Trouble::kFinal) fail(shown, result, "Nothing was submitted; change the options and submit again");
    notice_(fmt::format("{}; trying again in {:.0f} s", describe(shown, result), wait_s));
    sleep_(wait_s);
    wait_s = std::min(2 * wait_s, policy_.max_retry_wait_s);
    if (trouble == Trouble::kAnswerLost) {
      if (const auto found = find_by_comment(comment)) return *found;
    }
  }
}

std::optional<std::string> Slurm::obstacle_to(const std::filesystem::path& script) const {
  const CommandResult result = sbatch(script, {"--test-only"});
  if (result.code == 0 || trouble_of(result) != Trouble::kFinal || is_refusal_by_policy(result)) return std::nullopt;
  return parse_allocation_failure(result.err);
}

CommandResult Slurm::sbatch(const std::filesystem::path& script, const Argv& options) const {
  Argv argv = directives_of(common::read_file(script));
  argv.insert(argv.begin(), "sbatch");
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back(script.string());
  return run(argv, run_command_outside_job);
}

CommandResult Slurm::run(const Argv& argv, Runner runner) const {
  try {
    return runner(argv, policy_.command_limit_s);
  } catch (const common::SystemError& error) {
    throw common::SystemError(
        fmt::format("{}. Slurm's commands must be on PATH here; on a cluster run this on a login node", error.what()));
  }
}

CommandResult Slurm::ask(const Argv& argv) const {
  double wait_s = policy_.query_wait_s;
  CommandResult result = run(argv);
  for (int attempt = 1; attempt < policy_.query_attempts; ++attempt) {
    if (result.code == 0 || trouble_of(result) == Trouble::kFinal) break;
    sleep_(std::exchange(wait_s, 2 * wait_s));
    result = run(argv);
  }
  return result;
}

std::optional<std::string> Slurm::find_by_comment(const std::string& comment) const {
  // --all: in hidden partitions too.
  const Argv argv{"squeue", "--all", "--noheader", "--states=all", "--me", "--format=%i|%k"};
  const CommandResult result = ask(argv);
  if (result.code != 0) fail(argv, result, "Whether the job was submitted is not known: look with `squeue --me`");
  for (const std::string& line : lines_of(result.out)) {
    const std::size_t bar = line.find('|');
    if (bar != std::string::npos && line.substr(bar + 1) == comment) return line.substr(0, bar);
  }
  return std::nullopt;
}

std::vector<Job> Slurm::query(const std::vector<std::string>& ids) const {
  if (ids.empty()) return {};
  const std::string list = fmt::format("{}", fmt::join(ids, ","));
  const Argv squeue{"squeue", "--noheader", "--states=all", "--format=" + std::string(kSqueueFormat), "--jobs=" + list};
  const CommandResult result = ask(squeue);
  if (result.code != 0 && !forgotten(result)) {
    fail(squeue, result, "Slurm did not say how the jobs stand; try again in a while");
  }
  std::vector<Job> jobs = parse_squeue(result.out);
  std::set<std::string> missing(ids.begin(), ids.end());
  for (const Job& job : jobs) missing.erase(job.id);
  if (missing.empty()) return jobs;
  const Argv sacct{"sacct",
                   "--noheader",
                   "--parsable2",
                   "--allocations",
                   "--format=" + std::string(kSacctFormat),
                   fmt::format("--jobs={}", fmt::join(missing, ","))};
  // Clusters without accounting are common; what squeue has forgotten is then simply not known.
  for (Job& job : parse_sacct(answer_if_there_is_one(sacct))) jobs.push_back(std::move(job));
  return jobs;
}

std::string Slurm::answer_if_there_is_one(const Argv& argv) const {
  try {
    const CommandResult result = run(argv);
    return result.code == 0 ? result.out : std::string();
  } catch (const common::SystemError&) {
    return {};  // not installed
  }
}

bool Slurm::is_being_preempted(const std::string& id) const {
  const CommandResult result = ask({"scontrol", "show", "job", "--oneliner", id});
  return scontrol_value(result.out, "JobState") == "RUNNING" && !scontrol_value(result.out, "PreemptTime").empty();
}

bool Slurm::has_lost_its_script(const Job& job) const {
  if (job.state != "RUNNING" || job.batch_host.empty() || job.nodes.empty()) return false;
  const CommandResult result = ask({"scontrol", "show", "hostnames", job.nodes});
  const std::vector<std::string> nodes = lines_of(result.out);
  return result.code == 0 && std::find(nodes.begin(), nodes.end(), job.batch_host) == nodes.end();
}

void Slurm::signal_time_limit(const std::string& id) const {
  const Argv argv{"scancel", "--batch", "--signal=USR2", id};
  const CommandResult result = ask(argv);
  if (result.code != 0) fail(argv, result, "The batch script does not know of the preemption");
}

void Slurm::cancel(const Job& job, bool at_once) const {
  Argv argv{"scancel"};
  if (!at_once && hears_signals(job)) argv.insert(argv.end(), {"--batch", "--signal=USR1"});
  argv.push_back(job.id);
  const CommandResult result = ask(argv);
  if (result.code != 0 && !forgotten(result)) {
    fail(argv, result, fmt::format("Job {} was not cancelled; try again", job.id));
  }
}

bool Slurm::requeue(const std::string& id) const {
  const Argv argv{"scontrol", "requeue", id};
  const CommandResult result = run(argv);
  if (result.code == 0) return true;
  // Slurm ends every process of a job that it requeues: this command may be among the first.
  if (result.code > kSignalBase && !result.timed_out) return true;
  for (const Job& job : query({id})) {
    if (job.phase == JobPhase::kQueued) return true;  // the answer was lost, the order was not
  }
  notice_(describe(argv, result));
  return false;
}

std::vector<std::string> Slurm::nodes_left(const Job& job) const {
  if (job.nodes.empty()) return {};
  const Argv argv{"sinfo", "--all", "--noheader", "--Node", "--nodes=" + job.nodes, "--format=%N|%T"};
  const CommandResult result = ask(argv);
  if (result.code != 0) fail(argv, result, "The nodes of this job are not known");
  std::vector<std::string> nodes;  // one line for each node and partition
  for (const std::string& line : lines_of(result.out)) {
    const std::size_t bar = line.find('|');
    if (bar == std::string::npos || !can_run(line.substr(bar + 1))) continue;
    const std::string node = line.substr(0, bar);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace ditscale::slurm
