#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include "ditscale_version.hpp"

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/standard_output.hpp"
#include "common/version.hpp"
#include "orchestrator/cli/command_line.hpp"
#include "orchestrator/cli/commands.hpp"

namespace {

using namespace ditscale;
using common::ExitCode;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

orchestrator::Environment environment() {
  orchestrator::Environment result;
  result.parent = ::getppid();
  result.program = std::filesystem::read_symlink("/proc/self/exe");
  result.path = variable("PATH");
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE", "PMI_RANK"}) {
    result.under_mpi = result.under_mpi || std::getenv(name) != nullptr;
  }
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"}) {
    result.expects_first_rank = result.expects_first_rank || variable(name) == "0";
  }
  result.is_root = ::geteuid() == 0;
  if (const char* job = std::getenv("SLURM_JOB_ID")) result.slurm_job = job;
  result.node_name = variable("SLURMD_NODENAME");
  result.terminal_columns = terminal_columns();
  if (const char* gpus = std::getenv("CUDA_VISIBLE_DEVICES")) result.visible_gpus = gpus;
  return result;
}

ExitCode run_on_study(const orchestrator::Options& options, const orchestrator::Environment& here) {
  if (const auto* submit = std::get_if<orchestrator::SubmitOptions>(&options)) {
    return orchestrator::submit_command(*submit, here);
  }
  if (const auto* doctor = std::get_if<orchestrator::DoctorOptions>(&options)) {
    return orchestrator::doctor_command(*doctor, here);
  }
  if (const auto* guard = std::get_if<orchestrator::GuardOptions>(&options)) return guard_command(*guard, here);
  if (const auto* cancel = std::get_if<orchestrator::CancelOptions>(&options)) return cancel_command(*cancel);
  if (const auto* resume = std::get_if<orchestrator::ResumeOptions>(&options)) return resume_command(*resume);
  if (const auto* retry = std::get_if<orchestrator::RetryOptions>(&options)) return retry_command(*retry);
  if (const auto* logs = std::get_if<orchestrator::LogsOptions>(&options)) return logs_command(*logs);
  return explain_command(std::get<orchestrator::ExplainOptions>(options));
}

ExitCode run(const orchestrator::Options& options, const std::vector<std::string>& arguments) {
  const orchestrator::Environment here = environment();
  if (const auto* plan = std::get_if<orchestrator::PlanOptions>(&options)) {
    return orchestrator::plan_command(*plan, here);
  }
  if (const auto* run = std::get_if<orchestrator::RunOptions>(&options)) {
    return orchestrator::run_command(*run, here, arguments);
  }
  if (const auto* status = std::get_if<orchestrator::StatusOptions>(&options)) {
    return orchestrator::status_command(*status, here);
  }
  return run_on_study(options, here);
}

ExitCode complain(const std::exception& error, ExitCode code) {
  std::fflush(stdout);
  std::fprintf(stderr, "orchestrator: %s\n", error.what());
  return code;
}

ExitCode run_command_line(int argc, char** argv) {
  try {
    const auto parsed = orchestrator::parse_command_line(argc, argv, common::version_text(kVersion, kRevision));
    if (!parsed.options) return static_cast<ExitCode>(parsed.exit_code);
    return run(*parsed.options, {argv + 1, argv + argc});
  } catch (const common::UsageError& error) {
    return complain(error, ExitCode::kUsage);
  } catch (const std::exception& error) {
    return complain(error, ExitCode::kError);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return common::exit_code_after_output("orchestrator", common::to_int(run_command_line(argc, argv)));
}
