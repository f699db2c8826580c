#!/usr/bin/env bash
# Runs the commands that docs/slurm.md shows, as they stand there, with fake Slurm commands and the fake trainer.
# Usage: slurm_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/../shown_commands.sh"

mkdir bin
fake() {
  printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
  chmod +x "bin/$1"
}
fake sbatch 'echo 7'
fake squeue 'exit 0'
fake sacct 'echo "Slurm accounting storage is disabled" >&2; exit 1'
fake scancel 'exit 0'
fake sinfo 'echo "main* 2 nodes, infinite"'
export PATH="$work/bin:$PATH"
cat >my_study.json <<'SWEEP'
{"name": "my_study",
 "base": {"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 8, "steps": 4}},
 "grid": {"seed": [0, 500]}}
SWEEP
worker="$programs/fake_worker"

take_commands 8 < <(commands_of docs/slurm.md | sed -e 's|/scratch/me/runs|runs|g' -e 's|^build/bin/||' |
  grep -E '^(orchestrator|printf) ' | grep -v doctor)
for command in "${commands[@]}"; do
  case "$command" in
    *--dry-run*) # shown, then submitted and run
      bash -c "${command/submit my_study.json/submit my_study.json --worker $worker}"
      command="${command/--dry-run/}"
      command="${command/submit my_study.json/submit my_study.json --worker $worker}"
      orchestrator run my_study.json --runs runs --worker "$worker" --retries 0 >/dev/null || [ $? = 3 ]
      ;;
  esac
  echo "+ $command"
  bash -c "$command" || [ $? = 5 ]
done
