#include "orchestrator/cli/batch_command_line.hpp"

#include <CLI/CLI.hpp>

#include "orchestrator/cli/command_line.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr int kMany = 1 << 20;

constexpr const char* kSubmitExample =
    "Example:\n"
    "  orchestrator submit sweep.json --nodes 16 --gpus-per-node 8 --time 24:00:00 -- --partition=gpu --account=me\n"
    "What stands after -- are options of sbatch. The job saves before its time limit and goes back into the queue "
    "until\n"
    "the study is done. docs/slurm.md tells the whole way.\n";

}  // namespace

struct BatchCommands::Impl {
  explicit Impl(CLI::App& owner) : app(owner) {}

  void add_submit() {
    CLI::App* command = app.add_subcommand("submit", "Run a sweep on a Slurm cluster, until it is done");
    add_sweep(*command, submit.sweep);
    const CLI::Range at_least_one(1, kMany);
    command->add_option("--nodes", submit.num_nodes, "Nodes of the job")
        ->type_name("N")
        ->check(at_least_one)
        ->capture_default_str();
    command->add_option("--gpus-per-node", submit.gpus_per_node, "GPUs of each node")
        ->type_name("N")
        ->check(at_least_one);
    command->add_option("--cpus-per-node", submit.cpus_per_node, "Cores of each node (default: the whole node)")
        ->type_name("N")
        ->check(at_least_one);
    command->add_option("--time", limit, "Time limit of each allocation (default: the partition's)")
        ->type_name("SECONDS|[D-]HH:MM:SS");
    command->add_option("--save-before", submit.save_before_end_s, "Save so many seconds before the time limit")
        ->type_name("SECONDS")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    command->add_option("--shards", submit.num_shards, "Split the sweep over so many jobs, each a study of its own")
        ->type_name("K")
        ->check(at_least_one)
        ->capture_default_str();
    command->add_option("--source", submit.source, "Shell file that the job reads first: modules, paths")
        ->type_name("FILE")
        ->check(CLI::ExistingFile);
    command->add_option("--retries", submit.retries, "Further attempts after a failure of the trial's own")
        ->type_name("N")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    add_silence(*command, submit.silence_s);
    command->add_option("--worker", submit.worker, "Program that trains (default: worker beside this one)")
        ->type_name("PATH");
    command->add_flag("--dry-run", submit.dry_run, "Print the batch script; submit nothing");
    command->add_flag("--json", submit.json, "Print JSON");
    command->footer(kSubmitExample);
  }

  /// What the batch script starts beside the run; not shown.
  void add_guard() {
    CLI::App* command = app.add_subcommand("guard", "Watch over the Slurm job this is called in")->group("");
    command->add_option("study", guard.study)->required();
  }

  void add_cancel() {
    CLI::App* command =
        app.add_subcommand("cancel", "Save and end a study's job or run, or take trials out of a study");
    add_study(*command, cancel.choice);
    command->add_option("--trial", cancel.trials, "Only this trial, by the start of its id (may be repeated)")
        ->type_name("ID")
        ->allow_extra_args(false);
    command->add_flag("--now", cancel.at_once, "Do not wait for checkpoints");
    command->add_flag("--dry-run", cancel.dry_run, "Show what would be cancelled");
    command->footer("Example:\n  orchestrator cancel my_study\n  orchestrator cancel my_study --trial 3f2a\n");
  }

  void add_resume() {
    CLI::App* command = app.add_subcommand("resume", "Submit a study's job again; it goes on from its checkpoints");
    add_study(*command, resume.choice);
    command->add_flag("--dry-run", resume.dry_run, "Show what would be submitted");
    command->footer("Example:\n  orchestrator resume my_study\n");
  }

  void add_retry() {
    CLI::App* command = app.add_subcommand("retry", "Give trials that ended badly another attempt in the next run");
    add_study(*command, retry.choice);
    command->add_option("--trial", retry.trials, "Only this trial, by the start of its id (may be repeated)")
        ->type_name("ID")
        ->allow_extra_args(false);
    command->add_flag("--dry-run", retry.dry_run, "Show what would be tried again");
    command->footer("Example:\n  orchestrator retry my_study --trial 3f2a && orchestrator resume my_study\n");
  }

  void add_logs() {
    CLI::App* command = app.add_subcommand("logs", "Show the log of a trial, or of a study's newest job");
    add_study(*command, logs.choice);
    command->add_option("--trial", logs.trial, "The trial, by the start of its id")->type_name("ID");
    command->add_option("--attempt", logs.attempt, "Which attempt (default: the newest)")
        ->type_name("N")
        ->check(CLI::Range(1, kMany));
    command->add_option("--lines", logs.num_lines, "Last lines to show; 0: all")
        ->type_name("N")
        ->check(CLI::Range(0, kMany))
        ->capture_default_str();
    command->footer("Example:\n  orchestrator logs my_study --trial 3f2a\n");
  }

  void add_explain() {
    CLI::App* command = app.add_subcommand("explain", "Say why a study waits, and what happens next");
    add_study(*command, explain.choice);
    command->add_flag("--json", explain.json, "Print JSON");
    command->footer("Example:\n  orchestrator explain my_study\n");
  }

  void add_doctor() {
    CLI::App* command =
        app.add_subcommand("doctor", "Check this machine: MPI, Slurm, the worker, the file system, limits");
    command->add_option("--runs", doctor.runs, "Folder of all studies")->type_name("DIR")->capture_default_str();
    command->add_option("--worker", doctor.worker, "Program that trains (default: worker beside this one)")
        ->type_name("PATH");
    command->add_flag("--json", doctor.json, "Print JSON");
    command->footer("Example:\n  orchestrator doctor --runs /scratch/me/runs\n");
  }

  CLI::App& app;
  std::string limit;
  SubmitOptions submit;
  GuardOptions guard;
  CancelOptions cancel;
  ResumeOptions resume;
  RetryOptions retry;
  LogsOptions logs;
  ExplainOptions explain;
  DoctorOptions doctor;
};

BatchCommands::BatchCommands(CLI::App& app) : impl_(std::make_unique<Impl>(app)) {
  impl_->add_submit();
  impl_->add_guard();
  impl_->add_cancel();
  impl_->add_resume();
  impl_->add_retry();
  impl_->add_logs();
  impl_->add_explain();
  impl_->add_doctor();
}

BatchCommands::~BatchCommands() = default;

void BatchCommands::finish(std::vector<std::string> sbatch_arguments) {
  impl_->submit.sbatch_arguments = std::move(sbatch_arguments);
  if (!impl_->limit.empty()) impl_->submit.limit_s = parse_duration_s(impl_->limit);
}

Options BatchCommands::chosen() const {
  const CLI::App& app = impl_->app;
  if (app.got_subcommand("submit")) return impl_->submit;
  if (app.got_subcommand("guard")) return impl_->guard;
  if (app.got_subcommand("cancel")) return impl_->cancel;
  if (app.got_subcommand("resume")) return impl_->resume;
  if (app.got_subcommand("retry")) return impl_->retry;
  if (app.got_subcommand("logs")) return impl_->logs;
  if (app.got_subcommand("explain")) return impl_->explain;
  return impl_->doctor;
}

}  // namespace ditscale::orchestrator
