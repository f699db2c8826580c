#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/exit_code.hpp"
#include "common/ids.hpp"
#include "orchestrator/coordinator/devices.hpp"
#include "results/records.hpp"

namespace ditscale::orchestrator {

enum class StopKind { kNone, kCheckpoint, kKill };

/// Records first, in one transaction; then the messages to agents. So an attempt that runs is always on record.
struct PutAttempt {
  results::AttemptRecord record;
};
struct EndAttempt {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  results::TrialState state = results::TrialState::kLost;
  std::string reason;
  double time_s = 0;
};
/// So much of the attempt's time was no work.
struct CountStandstill {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  double seconds = 0;
};
struct SetTrialState {
  common::TrialId trial;
  results::TrialState state = results::TrialState::kPending;
  std::string reason;
  double time_s = 0;
};
struct Ingest {
  results::AttemptEvent event;
};
struct JoinNode {
  results::NodeRecord record;
};
struct LeaveNode {
  int agent = 0;
  double time_s = 0;
};
struct PutDecision {
  results::DecisionRecord record;
};

struct StartTrainer {
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  Shares shares;
};
struct StopTrainer {
  int agent = 0;
  common::TrialId trial;
  common::AttemptNumber attempt{1};
  StopKind kind = StopKind::kCheckpoint;
};

/// No record: nothing starts on this node for a while, for trainers fail there before they have begun.
struct RestNode {
  std::string host;
  int num_false_starts = 0;
  double seconds = 0;
};

/// No record: the study stops for this.
struct GiveUp {
  std::string trouble;
};

/// Nothing more is to be done or can be done.
struct Finish {
  common::ExitCode code = common::ExitCode::kDone;
  std::string reason;
};

using Action = std::variant<PutAttempt, EndAttempt, CountStandstill, SetTrialState, Ingest, PutDecision, JoinNode,
                            LeaveNode, StartTrainer, StopTrainer, RestNode, GiveUp, Finish>;
using Actions = std::vector<Action>;

}  // namespace ditscale::orchestrator
