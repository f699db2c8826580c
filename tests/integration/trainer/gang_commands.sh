#!/usr/bin/env bash
# Runs the commands that docs/gangs.md shows, as they stand there, on a small trial.
# Usage: gang_commands.sh <source folder> <folder of the programs>
set -euo pipefail
source_folder="$1"
programs="$2"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p build
ln -s "$programs" build/bin
cat > trial.json <<'TRIAL'
{"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 16, "steps": 4, "ema_decay": 0.9},
 "evaluate": [{"every_steps": 4, "num_samples": 70, "sampler": "ddim", "steps": 3}]}
TRIAL

# Two processes on any machine, by any user.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export XDG_CACHE_HOME="$work/cache"
mapfile -t commands < <(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/docs/gangs.md")
if [ "${#commands[@]}" -lt 4 ]; then
  echo "only ${#commands[@]} commands were found in docs/gangs.md" >&2
  exit 1
fi
for command in "${commands[@]}"; do
  command="${command/--num-samples 5000/--num-samples 70}"
  command="${command/--steps 5/--steps 1 --set model.width=16 --set model.heads=2}"
  echo "+ $command"
  bash -c "$command"
done
grep -q '"processes":2' runs/two/attempts/1/events.jsonl
