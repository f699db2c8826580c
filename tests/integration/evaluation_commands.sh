#!/usr/bin/env bash
# Runs the commands that docs/evaluation.md shows in sh blocks, as they stand there, on two images and random weights.
# Usage: evaluation_commands.sh <source folder> <folder of the programs>; 77 (skipped) without .venv-peers.
set -euo pipefail
source_folder="$1"
export PATH="$2:$PATH"
python="$source_folder/.venv-peers/bin/python"
[ -f "$source_folder/.venv-peers/ditscale-peers" ] || exit 77

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

"$source_folder/tools/peers/compare_inception.py" --write-weights pt_inception-2015-12-05-6726825d.pth
"$python" - <<'PYTHON'
import numpy

numpy.savez("samples.npz", arr_0=numpy.arange(2 * 40 * 40 * 3).astype(numpy.uint8).reshape(2, 40, 40, 3))
PYTHON

mapfile -t commands < <(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source_folder/docs/evaluation.md")
if [ "${#commands[@]}" -lt 1 ]; then
  echo "no command was found in docs/evaluation.md" >&2
  exit 1
fi
for command in "${commands[@]}"; do
  echo "+ $command"
  bash -c "$command"
done
"$python" - <<'PYTHON'
import numpy

arrays = numpy.load("features.npz")
assert {name: arrays[name].shape for name in ("pooled", "spatial", "logits")} == {
    "pooled": (2, 2048), "spatial": (2, 2023), "logits": (2, 1008)}
assert bytes(arrays["network"]).decode() == "inception" and arrays["digest"].shape == (32,)
PYTHON
