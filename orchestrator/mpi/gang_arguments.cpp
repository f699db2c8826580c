#include "orchestrator/mpi/gang_arguments.hpp"

#include <fmt/format.h>
#include <mpi.h>

namespace ditscale::orchestrator {

namespace {

using Arguments = std::vector<std::string>;

void append(Arguments& to, const Arguments& more) { to.insert(to.end(), more.begin(), more.end()); }

/// Options of the whole job.
Arguments job_options(bool one_host) {
#ifdef OPEN_MPI
  Arguments options{"--quiet", "--oversubscribe", "--bind-to", "none"};
  // Its daemons run beside those of the outer job, on devices that were handed out already.
  if (!one_host) append(options, {"--mca", "plm_slurm_args", "--overlap"});
  return options;
#else
  (void)one_host;
  return {};
#endif
}

Arguments place(const GangPart& part, bool one_host) {
  const std::string count = std::to_string(part.processes);
#ifdef OPEN_MPI
  if (one_host) return {"-n", count};
  return {"-n", count, "--host", fmt::format("{}:{}", part.host, count)};
#else
  if (one_host) return {"-n", count, "-launcher", "fork"};
  return {"-n", count, "-host", part.host};
#endif
}

Arguments exports(const Arguments& names) {
  Arguments arguments;
  for (const std::string& name : names) {
#ifdef OPEN_MPI
    append(arguments, {"-x", name});
#else
    append(arguments, {"-genvlist", name});
#endif
  }
  return arguments;
}

}  // namespace

Arguments gang_arguments(const std::vector<GangPart>& parts, const std::vector<std::string>& exported) {
  const bool one_host = parts.size() == 1;
  Arguments arguments = job_options(one_host);
  append(arguments, exports(exported));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) arguments.emplace_back(":");
    append(arguments, place(parts[i], one_host));
    append(arguments, parts[i].command);
  }
  return arguments;
}

Arguments outer_job_prefixes(bool one_host) {
  Arguments prefixes{"OMPI_", "PMIX_", "PRTE_", "PMI_"};
  if (one_host) prefixes.insert(prefixes.end(), {"SLURM_", "PBS_", "LSB_"});
  return prefixes;
}

}  // namespace ditscale::orchestrator
