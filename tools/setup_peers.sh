#!/usr/bin/env bash
# Installs the programs that ours is compared with (PyTorch, scipy, diffusers …) into .venv-peers, for the comparison
# scripts in tools/. Not needed to build, test or run. `make peers` calls it; a second run changes nothing.
set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$repository/.venv-peers"
pins="$repository/tools/requirements/peers.txt"
stamp="$(cat "$pins" "$repository"/tools/requirements/torch-*.txt | sha256sum | cut -c1-16)"

# Python's torch loads the CUDA libraries even where there is no GPU.
"$repository/tools/setup.sh" --torch cuda

if [[ "$(cat "$venv/ditscale-peers" 2>/dev/null)" == "$stamp" ]]; then
  echo "peers: everything is there: $venv/bin/python"
  exit 0
fi
echo "peers: installing into $venv"
rm -rf "$venv"
"$repository/.venv/bin/python" -c 'import sys; print(sys._base_executable)' |
  { read -r python && "$python" -m venv "$venv"; }
# The same wheel as the worker's, so that a comparison is one of programs and not of versions.
site="$(echo "$venv"/lib/python3*/site-packages)"
echo "$repository/.venv/lib/$(basename "$(dirname "$site")")/site-packages" >"$site/ditscale-torch.pth"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet -r "$pins" || {
  echo "peers: pip failed; look at its message above (network, proxy, disk space) and run this again." >&2
  exit 1
}
"$venv/bin/python" -c 'import torch, scipy, h5py, safetensors, diffusers, torch_fidelity, pytorch_fid'
echo "$stamp" >"$venv/ditscale-peers"
echo "peers: $venv/bin/python is ready"
