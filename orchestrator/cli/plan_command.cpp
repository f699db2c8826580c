#include <cstdio>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/study_choice.hpp"
#include "orchestrator/cli/sweep_choice.hpp"
#include "orchestrator/plan/plan.hpp"

namespace ditscale::orchestrator {

common::ExitCode plan_command(PlanOptions options, const Environment& environment) {
  options.limits.visible_gpus = environment.visible_gpus;
  const sweeps::Sweep sweep = load_sweep(options.sweep);
  const RateOf rates = rates_of(study_of(options.sweep.runs, sweep.name));
  const Plan plan = make_plan(sweep, {local_report(options.limits)}, rates);
  const std::string text = options.json ? plan_json(plan).dump(2) + "\n" : plan_text(plan);
  std::fputs(text.c_str(), stdout);
  return common::ExitCode::kDone;
}

}  // namespace ditscale::orchestrator
