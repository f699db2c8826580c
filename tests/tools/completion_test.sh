#!/usr/bin/env bash
# Tests tools/completion.bash with the real orchestrator.
# Usage: completion_test.sh <folder of the programs>
set -euo pipefail
# shellcheck source=tools/completion.bash
source "$(dirname "${BASH_SOURCE[0]}")/../../tools/completion.bash"
num_failed=0

# expect <words that are offered> <command line, the word to complete last>: they are offered, with blanks between.
expect() {
  local wanted="$1"
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _ditscale
  if [[ "${COMPREPLY[*]}" == "$wanted" ]]; then
    echo "ok    ${*:2}"
  else
    echo "FAIL  ${*:2}: offers '${COMPREPLY[*]}', not '$wanted'"
    num_failed=$((num_failed + 1))
  fi
}

program="$1/orchestrator"
[[ -x "$program" ]] || exit 77
expect "resume retry" "$program" re
expect "--help" "$program" --h
expect "--dry-run" "$program" submit sweep.json --dr
expect "--now" "$program" cancel my_study --no
expect "" "$program" run ""
[[ ${#COMPREPLY[@]} == 0 ]] # left to files
expect "" "$program" submit sweep.json -- --part
((num_failed == 0))
