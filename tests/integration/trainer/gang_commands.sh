#!/usr/bin/env bash
# Runs the commands that docs/gangs.md shows, as they stand there, on a small trial.
# Usage: gang_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/../shown_commands.sh"
cat > trial.json <<'TRIAL'
{"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 16, "steps": 4, "ema_decay": 0.9},
 "evaluate": [{"every_steps": 4, "num_samples": 70, "sampler": "ddim", "steps": 3}]}
TRIAL

# Two processes on any machine, by any user.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export XDG_CACHE_HOME="$work/cache"
take_commands 4 < <(commands_of docs/gangs.md)
commands=("${commands[@]/--num-samples 5000/--num-samples 70}")
commands=("${commands[@]/--steps 5/--steps 1 --set model.width=16 --set model.heads=2}")
run_commands
grep -q '"processes":2' runs/two/attempts/1/events.jsonl

# trial.json as a power failure may leave it.
cp runs/two/trial.json whole.json
: >runs/two/trial.json
worker train trial.json --folder runs/two
cmp whole.json runs/two/trial.json
