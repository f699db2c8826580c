#!/usr/bin/env bash
# Formats every C++ and CUDA file with clang-format 14 (other versions lay some things out differently).
# --check changes nothing: exit 1 when a file is not formatted, 77 when there is no clang-format 14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

formatter="$(command -v clang-format-14 || command -v clang-format || true)"
if [[ -z "$formatter" ]] || ! "$formatter" --version | grep -q 'version 14\.'; then
  echo "format: skipped, there is no clang-format 14 (apt-get install clang-format-14)" >&2
  exit 77
fi

rooms=()
for room in common sweeps results slurm orchestrator worker analysis tests tools; do
  [[ ! -d "$room" ]] || rooms+=("$room")
done
sources() { find "${rooms[@]}" -type f \( -name '*.cpp' -o -name '*.hpp' -o -name '*.cu' -o -name '*.cuh' \) -print0; }

if [[ "${1:-}" == --check ]]; then
  sources | xargs -0 -r "$formatter" --dry-run -Werror || {
    echo "format: run \`make format\`" >&2
    exit 1
  }
else
  sources | xargs -0 -r "$formatter" -i
fi
