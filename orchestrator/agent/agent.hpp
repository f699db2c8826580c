#pragma once

#include "common/clock.hpp"
#include "orchestrator/agent/trainer.hpp"
#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/policy.hpp"
#include "orchestrator/mpi/world.hpp"

namespace ditscale::orchestrator {

/// Owns one node's devices: starts, watches and stops trainers as the coordinator says, forwards what they tell, until
/// the coordinator ends the study. Sleeps whenever there is nothing to do.
void run_agent(World& world, const AgentReport& report, const TrainerSettings& settings, const Timing& timing,
               const common::Clock& clock);

}  // namespace ditscale::orchestrator
