#!/usr/bin/env bash
# Runs the commands that README.md shows, as they stand there, on a shortened copy of its study.
# Usage: readme_commands.sh <source folder> <folder of the programs>
set -euo pipefail
source_folder="$1"
programs="$2"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p build
ln -s "$programs" build/bin

# The study of the page, with fewer steps and samples.
awk '/^```json$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/README.md" |
  sed -e 's/"steps": 1500/"steps": 6/' -e 's/"every_steps": 500, "num_samples": 1000/"every_steps": 6, "num_samples": 70/' \
      -e 's/"sampler": "ddim", "steps": 25/"sampler": "ddim", "steps": 3/' > my_study.json
cat > trial.json <<'TRIAL'
{"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 16, "steps": 4, "ema_decay": 0.9}}
TRIAL

# Everything in sh blocks but make and what runs beside another command; comments go.
mapfile -t commands < <(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/README.md" |
  sed -e 's/  *#.*$//' | grep '^build/bin/')
if [ "${#commands[@]}" -lt 8 ]; then
  echo "only ${#commands[@]} commands were found in README.md" >&2
  exit 1
fi
for command in "${commands[@]}"; do
  command="${command/--num-samples 5000/--num-samples 70}"
  echo "+ $command"
  bash -c "$command"
done
ls figures/*.png samples.png > /dev/null
