#!/usr/bin/env bash
# Tests the set-up scripts' decisions with fake system commands on PATH; nothing is installed and nothing is fetched.
set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
num_failed=0

# fake <name> <body>: a command of that name, first on PATH in the tests.
fake() {
  printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

begin() {
  rm -rf "${work:?}/bin" "$work/log"
  mkdir "$work/bin"
  printf 'alpha  the first\nbeta   the second\n' >"$work/list"
}

# Runs setup_packages on the list; leaves its output in $output and its exit code in $code.
run_setup_packages() {
  code=0
  # shellcheck disable=SC2016
  output="$(PATH="${1:-$work/bin:$PATH}" /bin/bash -euo pipefail -c '
    source "$1/tools/setup_packages.sh"
    say() { printf "setup: %s\n" "$*"; }
    fail() { printf "setup: %s\n" "$@"; exit 1; }
    setup_packages "$2" 0' _ "$repository" "$work/list" 2>&1)" || code=$?
}

expect() {
  local what="$1"
  shift
  if "$@"; then
    echo "ok    $what"
  else
    echo "FAIL  $what: exit code $code, output: $output"
    num_failed=$((num_failed + 1))
  fi
}
says() { [[ "$output" == *"$1"* ]]; }
exits_with() { ((code == $1)); }
logged() { grep -q -- "$1" "$work/log" 2>/dev/null; }
did_nothing() { [[ ! -e "$work/log" ]]; }

begin
fake dpkg-query 'printf "installed alpha\ninstalled beta\n"'
fake apt-get "echo apt-get \"\$@\" >>'$work/log'"
run_setup_packages
expect "with everything installed it succeeds" exits_with 0
expect "with everything installed it calls no package manager" did_nothing

begin
fake dpkg-query 'printf "installed alpha\nconfig-files beta\n"; exit 1'
fake apt-get "echo apt-get \"\$@\" >>'$work/log'"
fake id 'echo 0'
run_setup_packages
expect "as root it succeeds" exits_with 0
expect "as root it updates the lists first" logged 'apt-get .*update'
expect "as root it installs only what is missing" logged 'install --yes --no-install-recommends beta$'

fake apt-get 'echo "E: no network"; exit 100'
run_setup_packages
expect "when apt-get fails, it fails" exits_with 1
expect "when apt-get fails, it says what to do" says 'run this again'

begin
fake dpkg-query 'exit 1'
fake apt-get "echo apt-get >>'$work/log'"
fake id 'echo 1000'
fake sudo 'exit 1'
run_setup_packages
expect "without root it fails" exits_with 1
expect "without root it gives the command for an administrator" \
  says 'sudo apt-get update && sudo apt-get install --yes --no-install-recommends alpha beta'
expect "without root it installs nothing" did_nothing

fake sudo 'shift; "$@"'
run_setup_packages
expect "with passwordless sudo it installs" logged apt-get

begin
for tool in sed awk cat bash; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done
run_setup_packages "$work/bin"
expect "on another distribution it fails" exits_with 1
expect "on another distribution it lists what is needed" says 'beta   the second'

jobs="$("$repository/tools/jobs.sh")"
code=0 output="$jobs"
expect "the number of compile jobs is a positive number" test "$jobs" -ge 1

echo "$num_failed failed"
((num_failed == 0))
