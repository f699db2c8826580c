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

# Runs a line of shell with the set-up scripts' functions; leaves its output in $output and its exit code in $code.
run_shell() {
  code=0
  # shellcheck disable=SC2016
  output="$(PATH="${path:-$work/bin:$PATH}" /bin/bash -euo pipefail -c '
    source "$1/tools/setup_packages.sh"
    source "$1/tools/setup_torch.sh"
    say() { printf "setup: %s\n" "$*"; }
    fail() { printf "setup: %s\n" "$@"; exit 1; }
    eval "$2"' _ "$repository" "$1" 2>&1 </dev/null)" || code=$?
}
run_setup_packages() { run_shell "setup_packages '$work/list' 0"; }

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

run_shell "someone_can_type() { true; }; setup_packages '$work/list' 0"
expect "without the right to use sudo it fails at a terminal too" exits_with 1

fake sudo '[[ $1 != -n && $1 != -v ]] || exit $([[ $1 == -v ]]; echo $?); "$@"'
run_shell "someone_can_type() { true; }; setup_packages '$work/list' 0"
expect "at a terminal it says what sudo asks a password for" says 'sudo may ask for your password'
expect "at a terminal it installs" logged apt-get

rm "$work/log"
run_setup_packages
expect "without a terminal it asks for no password" did_nothing

fake sudo '[[ $1 != -n ]] || shift; "$@"'
run_setup_packages
expect "with passwordless sudo it installs" logged apt-get

begin
fake dpkg-query 'exit 1'
fake apt-get "echo apt-get \"\$@\" >>'$work/log'"
fake apt-cache 'printf "alpha:\n  Installed: (none)\n  Candidate: 1.0\nbeta:\n  Installed: (none)\n  Candidate: (none)\n"'
fake id 'echo 0'
run_shell "setup_for_tests '$work/list' 0 some_test"
expect "for a test it installs what the distribution has" logged 'install --yes --no-install-recommends alpha$'

fake apt-cache 'exit 0'
rm "$work/log"
run_shell "setup_for_tests '$work/list' 0 some_test"
expect "for a test it does nothing when the distribution has none of it" did_nothing
expect "for a test it succeeds without" exits_with 0

begin
mkdir -p "$work/cuda/bin"
for toolkit in 12.4:cpu 13.0:cuda; do
  printf '#!/bin/bash\necho "Cuda compilation tools, release %s, V0"\n' "${toolkit%:*}" >"$work/cuda/bin/nvcc"
  chmod +x "$work/cuda/bin/nvcc"
  run_shell "CUDA_HOME='$work/cuda' torch_kind_for_this_machine '$repository'"
  expect "with CUDA ${toolkit%:*} it wants LibTorch for ${toolkit#*:}" test "$output" = "${toolkit#*:}"
done

begin
for tool in sed awk cat bash; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done
path="$work/bin" run_setup_packages
expect "on another distribution it fails" exits_with 1
expect "on another distribution it lists what is needed" says 'beta   the second'

jobs="$("$repository/tools/jobs.sh")"
code=0 output="$jobs"
expect "the number of compile jobs is a positive number" test "$jobs" -ge 1

echo "$num_failed failed"
((num_failed == 0))
