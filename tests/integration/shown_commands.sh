# Sourced with "$@" by scripts that run the commands that a page of the documentation shows, as they stand there:
# <source folder> <folder of the programs>. The programs are on PATH and in build/bin; the current folder is empty but for
# that, and gone at the end.
set -euo pipefail
source_folder="$1"
programs="$2"
export PATH="$programs:$PATH"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir build
ln -s "$programs" build/bin

# Lines in sh blocks of a page: continued ones joined, comments gone.
commands_of() {
  awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/$1" |
    sed -e ':again' -e '/\\$/ {N; s/\\\n//; b again}' -e 's/  *#.*$//'
}

# Reads `commands`, one a line; fewer than $1 mean that a page has changed its form.
take_commands() {
  mapfile -t commands
  ((${#commands[@]} >= $1)) && return
  echo "only ${#commands[@]} commands were found, not $1" >&2
  exit 1
}

run_commands() {
  local command
  for command in "${commands[@]}"; do
    echo "+ $command" >&2
    bash -c "$command"
  done
}
