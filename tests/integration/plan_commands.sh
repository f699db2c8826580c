#!/usr/bin/env bash
# Runs the commands that docs/plan.md shows in sh blocks, as they stand there. No trainer is needed.
# Usage: plan_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/shown_commands.sh"
cat >my_study.json <<'SWEEP'
{"name": "my_study",
 "base": {"model": {"depth": 1, "width": 16, "heads": 2, "patch": 7}, "train": {"global_batch": 8, "steps": 4000}},
 "grid": {"seed": [0, 1, 2]}}
SWEEP

take_commands 6 < <(commands_of docs/plan.md)
run_commands | tee all.txt

# What the page says of them.
for phrase in 'node1  aaaa' 'with failures: ' 'device hours' '"largest_micro_batch": 8' '"cost": '; do
  grep -qF -- "$phrase" all.txt || { echo "nothing shows $phrase" >&2; exit 1; }
done
grep -q '^<svg .*viewBox' schedule.svg
[ ! -e runs ] || { echo "plan made a folder" >&2; exit 1; }

# Every option of `plan` is on the page.
options="$(orchestrator plan --help | grep -oE -- '--[a-z-]+' | sort -u | grep -v -- --help)"
for option in $options; do
  grep -q -- "\`${option}[ \`]" "$source_folder/docs/plan.md" || { echo "docs/plan.md does not name $option" >&2; exit 1; }
done
status=0
orchestrator plan my_study.json --nodes 1 --memory-per-node 1kB >refused.txt || status=$?
[ "$status" = 1 ] && grep -q 'even with train.micro_batch=1' refused.txt

# What cannot be written is an error.
status=0
orchestrator plan my_study.json --nodes 1 --json >/dev/full 2>full.txt || status=$?
[ "$status" = 1 ] && grep -q 'No space left on device' full.txt
