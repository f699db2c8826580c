#!/usr/bin/env bash
# Installs what is missing to build, test and run; does nothing when everything is there. `make` calls it first.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tools/setup_packages.sh
source "$here/setup_packages.sh"
# shellcheck source=tools/setup_torch.sh
source "$here/setup_torch.sh"
# shellcheck source=tools/setup_plotly.sh
source "$here/setup_plotly.sh"

usage() {
  cat <<'TEXT'
usage: tools/setup.sh [--dry-run] [--torch auto|cpu|cuda]

Installs the system packages of tools/requirements/apt.txt (needs root or sudo, and only when some are missing),
LibTorch into .venv, Plotly's script into .plotly; in a container also Slurm, a browser and clang-format, for tests. A
second run changes nothing.

  --dry-run     say what would be done, and do nothing
  --torch KIND  cpu: LibTorch without the CUDA libraries (540 MB to fetch); cuda: with them (2.4 GB);
                auto: cuda where a CUDA toolkit (nvcc) is found that fits it [default]

example: tools/setup.sh --torch cpu
TEXT
}

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

main() {
  local dry_run=0 kind=auto
  while (($#)); do
    case "$1" in
      --dry-run) dry_run=1 ;;
      --torch)
        shift
        kind="${1:-}"
        ;;
      --help | -h)
        usage
        exit 0
        ;;
      *)
        usage >&2
        exit 2
        ;;
    esac
    shift
  done
  [[ "$kind" =~ ^(auto|cpu|cuda)$ ]] || fail "--torch $kind: use auto, cpu or cuda."

  exec 9<"$here/setup.sh"  # two at a time would install into the same folder
  flock -n 9 || {
    say "waiting for another set-up of this folder to end"
    flock 9
  }
  setup_packages "$here/requirements/apt.txt" "$dry_run"
  ! slurm_is_welcome || setup_for_tests "$here/requirements/apt-slurm.txt" "$dry_run" integration_slurm
  ! browser_is_welcome || setup_for_tests "$here/requirements/apt-browser.txt" "$dry_run" analysis_report_in_browser
  ! formatter_is_welcome || setup_for_tests "$here/requirements/apt-format.txt" "$dry_run" format
  setup_torch "$here/.." "$kind" "$dry_run"
  setup_plotly "$here/.." "$dry_run"
  ((dry_run)) || say "everything is there."
}

main "$@"
