#!/usr/bin/env bash
# Runs the commands that docs/evaluation.md shows in sh blocks, as they stand there, on two images and random weights.
# Usage: evaluation_commands.sh <source folder> <folder of the programs>; 77 (skipped) without .venv-peers.
source "$(dirname "$0")/shown_commands.sh"
python="$source_folder/.venv-peers/bin/python"
[ -f "$source_folder/.venv-peers/ditscale-peers" ] || exit 77

"$source_folder/tools/peers/compare_inception.py" --write-weights pt_inception-2015-12-05-6726825d.pth
"$python" - <<'PYTHON'
import numpy

numpy.savez("samples.npz", arr_0=numpy.arange(2 * 40 * 40 * 3).astype(numpy.uint8).reshape(2, 40, 40, 3))
PYTHON

take_commands 1 < <(commands_of docs/evaluation.md)
run_commands
"$python" - <<'PYTHON'
import numpy

arrays = numpy.load("features.npz")
assert {name: arrays[name].shape for name in ("pooled", "spatial", "logits")} == {
    "pooled": (2, 2048), "spatial": (2, 2023), "logits": (2, 1008)}
assert bytes(arrays["network"]).decode() == "inception" and arrays["digest"].shape == (32,)
PYTHON
