# shellcheck shell=bash
# Part of setup.sh: the system packages.

# The packages of list $1, one a line.
packages_in() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1" | awk '{print $1}'; }

# Those of the packages on standard input that are not installed.
packages_missing() {
  local wanted installed
  wanted="$(sort -u)"
  # dpkg-query fails when it knows none or not all of the names; what it prints is what counts.
  # shellcheck disable=SC2086
  installed="$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | awk '$1 == "installed" {print $2}' | sort -u)" || true
  comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$installed")
}

# Those of the packages on standard input that apt could install.
packages_obtainable() {
  local wanted
  mapfile -t wanted
  ((${#wanted[@]} > 0)) || return 0
  LC_ALL=C apt-cache policy "${wanted[@]}" 2>/dev/null |
    awk '/^[^ ]/ {name = $1; sub(/:$/, "", name)} $1 == "Candidate:" && $2 != "(none)" {print name}'
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if (($(id -u) == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# True where no password is asked for.
can_become_root() { (($(id -u) == 0)) || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

someone_can_type() { [[ -t 0 ]]; }

# Asks for the password, where there is someone to give it.
ask_to_become_root() {
  command -v sudo >/dev/null && someone_can_type || return 1
  say "system packages are missing; sudo may ask for your password, to run:"
  say "  apt-get update && $1"
  sudo -v
}

# setup_packages <list> <dry run 0|1>
setup_packages() {
  local list="$1" dry_run="$2"
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "this is neither Debian nor Ubuntu. Install these with your package manager (the names are Debian's):" \
      "$(sed -e '/^#/d' -e 's/^/  /' "$list")" \
      "then configure and build without \`make setup\`: see CONTRIBUTING.md."
  fi

  local missing
  missing="$(packages_in "$list" | packages_missing | xargs)"
  install_packages "$dry_run" "$missing"
}

# install_packages <dry run 0|1> <names with blanks between>
install_packages() {
  local dry_run="$1" names="$2"
  [[ -n "$names" ]] || return 0

  local install="apt-get install --yes --no-install-recommends $names"
  if ((dry_run)); then
    say "would run: apt-get update && $install"
    return 0
  fi
  if ! can_become_root && ! ask_to_become_root "$install"; then
    fail "these system packages are missing, and you are not root. Run this yourself, or ask an administrator to:" \
      "  sudo apt-get update && sudo $install" \
      "Then run the same command again."
  fi
  say "installing system packages: $names"
  # Another package manager may hold the lock for a while, as on a machine that has just started.
  # shellcheck disable=SC2086
  { as_root apt-get -q -o DPkg::Lock::Timeout=300 update && as_root apt-get -q -o DPkg::Lock::Timeout=300 ${install#apt-get }; } ||
    fail "apt-get failed (its messages are above). Mend that, for example with \`apt-get --fix-broken install\`, and run this again."
}

# True where Slurm's packages can do no harm: no Slurm is there whose commands they would hide, and no systemd would
# start their daemons.
slurm_is_welcome() {
  ! command -v sbatch >/dev/null && [[ ! -e "${1:-}/etc/slurm/slurm.conf" && ! -d "${1:-}/run/systemd/system" ]]
}

# True where there is no browser, and nobody who would choose one: in a container.
browser_is_welcome() {
  ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null && [[ ! -d "${1:-}/run/systemd/system" ]]
}

# True where there is no clang-format 14, and nobody who would choose one: in a container.
formatter_is_welcome() { ! command -v clang-format-14 >/dev/null && [[ ! -d "${1:-}/run/systemd/system" ]]; }

# setup_for_tests <list> <dry run 0|1> <name of a test>: never fails, as the test that wants it is skipped without. What
# this distribution does not have is left out, or apt would be asked for it each time.
setup_for_tests() {
  can_become_root || return 0
  local names
  names="$(packages_in "$1" | packages_missing | packages_obtainable | xargs)"
  (install_packages "$2" "$names") || say "without these packages the test $3 is skipped."
}
