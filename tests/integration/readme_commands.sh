#!/usr/bin/env bash
# Runs the commands that README.md shows, as they stand there, on a shortened copy of its study.
# Usage: readme_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/shown_commands.sh"

# The study of the page, with fewer steps and samples.
awk '/^```json$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/README.md" |
  sed -e 's/"steps": 1500/"steps": 6/' -e 's/"every_steps": 500, "num_samples": 1000/"every_steps": 6, "num_samples": 70/' \
      -e 's/"sampler": "ddim", "steps": 25/"sampler": "ddim", "steps": 3/' > my_study.json
cat > trial.json <<'TRIAL'
{"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 16, "steps": 4, "ema_decay": 0.9}}
TRIAL

# Everything but make and what runs beside another command.
take_commands 8 < <(commands_of README.md | grep '^build/bin/')
commands=("${commands[@]/--num-samples 5000/--num-samples 70}")
run_commands
ls figures/*.png samples.png > /dev/null
