#include "slurm/job.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ditscale::slurm {

namespace {

using Row = std::pair<std::string_view, JobPhase>;

/// squeue(1), JOB STATE CODES.
constexpr std::array kPhases{
    Row{"PENDING", JobPhase::kQueued},      Row{"REQUEUED", JobPhase::kQueued},
    Row{"REQUEUE_HOLD", JobPhase::kQueued}, Row{"REQUEUE_FED", JobPhase::kQueued},
    Row{"SPECIAL_EXIT", JobPhase::kQueued}, Row{"RESV_DEL_HOLD", JobPhase::kQueued},
    Row{"CONFIGURING", JobPhase::kActive},  Row{"RUNNING", JobPhase::kActive},
    Row{"COMPLETING", JobPhase::kActive},   Row{"SUSPENDED", JobPhase::kActive},
    Row{"STOPPED", JobPhase::kActive},      Row{"SIGNALING", JobPhase::kActive},
    Row{"RESIZING", JobPhase::kActive},     Row{"STAGE_OUT", JobPhase::kActive},
    Row{"COMPLETED", JobPhase::kEnded},     Row{"CANCELLED", JobPhase::kEnded},
    Row{"FAILED", JobPhase::kEnded},        Row{"TIMEOUT", JobPhase::kEnded},
    Row{"NODE_FAIL", JobPhase::kEnded},     Row{"PREEMPTED", JobPhase::kEnded},
    Row{"BOOT_FAIL", JobPhase::kEnded},     Row{"DEADLINE", JobPhase::kEnded},
    Row{"OUT_OF_MEMORY", JobPhase::kEnded}, Row{"REVOKED", JobPhase::kEnded},
};

struct Meaning {
  /// The reason starts with this.
  std::string_view reason;
  std::string_view text;
};

/// squeue(1), JOB REASON CODES: those that users meet. Longer ones stand before those they begin with.
constexpr std::array kMeanings{
    Meaning{"Priority", "others stand before it in the queue; it waits its turn"},
    Meaning{"Resources", "it is its turn, and the nodes it asks for are still busy"},
    Meaning{"BeginTime", "it may not start yet: after a requeue Slurm waits a few minutes"},
    Meaning{"Dependency", "it waits for another job to end"},
    Meaning{"DependencyNeverSatisfied",
            "the job it waits for ended otherwise than it should; cancel it and submit again"},
    Meaning{"JobHeldUser", "it is held: scontrol release JOB lets it go"},
    Meaning{"JobHeldAdmin",
            "an administrator holds it; after too many requeues Slurm does that by itself. Ask them, or "
            "cancel it and submit again"},
    Meaning{"launch failed requeued held",
            "a node could not start it, so it is held: scontrol release JOB, or exclude the "
            "node (`orchestrator submit … -- --exclude=NODE`)"},
    Meaning{"PartitionTimeLimit",
            "--time is longer than the partition allows (sinfo -o '%P %l'): submit with a shorter one; "
            "a study goes on by itself in the next allocation"},
    Meaning{"PartitionNodeLimit", "--nodes is more than the partition allows (sinfo -o '%P %s'): submit with fewer"},
    Meaning{"PartitionConfig",
            "the partition will never have what it asks for: fewer --nodes, --cpus-per-node or "
            "--gpus-per-node, a shorter --time (sinfo -o '%P %l'), or another partition (-- --partition=NAME)"},
    Meaning{"PartitionDown", "the partition takes no jobs now: choose another with -- --partition=NAME"},
    Meaning{"PartitionInactive", "the partition takes no jobs now: choose another with -- --partition=NAME"},
    Meaning{"ReqNodeNotAvail",
            "nodes it needs are down, drained or reserved (sinfo -R says why); a maintenance may be near: "
            "a shorter --time may still fit before it"},
    Meaning{"Nodes required for job are DOWN", "nodes it needs are down, drained or reserved (sinfo -R says why)"},
    Meaning{"Reservation", "it waits for its reservation to begin"},
    Meaning{"BadConstraints",
            "no node has what it asks for: look at --gpus-per-node, --cpus-per-node and what stands after --"},
    Meaning{"NodeDown", "a node it needs is down"},
    Meaning{"AssocMaxJobsLimit", "you have as many jobs as you may; it starts when one of them ends"},
    Meaning{"InvalidAccount", "the account is not valid: -- --account=NAME (sacctmgr show associations user=$USER)"},
    Meaning{"InvalidQOS", "the QOS is not valid: -- --qos=NAME"},
    Meaning{"QOSMaxWall", "--time is longer than the QOS allows: submit with a shorter one; a study goes on by itself"},
    Meaning{"QOSMaxJobs", "you have as many jobs of this QOS as you may; it starts when one of them ends"},
    Meaning{"QOS",
            "a limit of its QOS is reached; it waits until others end, or never starts when it alone is too large: "
            "sacctmgr show qos, or ask for less"},
    Meaning{"Assoc",
            "a limit of your account is reached; it waits until others end, or never starts when it alone is too "
            "large: sshare, sacctmgr show associations"},
    Meaning{"Licenses", "it waits for a licence"},
    Meaning{"Prolog", "the nodes are made ready"},
};

}  // namespace

JobPhase phase_of(std::string_view state) {
  const auto row = std::find_if(kPhases.begin(), kPhases.end(), [&](const Row& each) { return each.first == state; });
  return row == kPhases.end() ? JobPhase::kUnknown : row->second;
}

bool hears_signals(const Job& job) { return job.phase == JobPhase::kActive && job.state != "CONFIGURING"; }

std::string reason_text(std::string_view reason) {
  const Meaning* best = nullptr;
  for (const Meaning& each : kMeanings) {
    const bool fits = reason.substr(0, each.reason.size()) == each.reason;
    if (fits && (best == nullptr || each.reason.size() > best->reason.size())) best = &each;
  }
  if (best != nullptr) return std::string(best->text);
  return "Slurm's own word for it; `scontrol show job JOB` and squeue(1), JOB REASON CODES, say more";
}

}  // namespace ditscale::slurm
