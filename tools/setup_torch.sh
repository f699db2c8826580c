# shellcheck shell=bash
# Part of setup.sh: LibTorch, out of its Python wheel, in .venv below the repository.
#
# .venv/ditscale-torch says which kind is complete and from which pins. It is written last and removed before anything
# is changed, so an environment without it was interrupted half-way and is made anew.

# Prints a python3 that can make virtual environments; the system's first, since one on PATH may be a shim without venv.
python_with_venv() {
  local python
  for python in /usr/bin/python3 "$(command -v python3 || true)"; do
    if [[ -x "$python" ]] && "$python" -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      printf '%s\n' "$python"
      return 0
    fi
  done
  fail "no Python 3.10 or newer with the venv module was found. Install python3-venv and run this again."
}

# What a complete environment of kind $2 says of itself; $1 is the repository.
torch_stamp() { printf '%s %s\n' "$2" "$(cat "$1"/tools/requirements/torch-*.txt | sha256sum | cut -c1-16)"; }

# The major version of the CUDA toolkit that CMake will find (cmake/Cuda.cmake looks in the same places); nothing without.
cuda_toolkit_major() {
  local nvcc
  for nvcc in "${CUDA_HOME:-}/bin/nvcc" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc /opt/cuda/bin/nvcc; do
    [[ -x "$nvcc" ]] || continue
    "$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p'
    return 0
  done
}

# Prints cuda where there is a toolkit for the CUDA that LibTorch in repository $1 is pinned for, else cpu.
torch_kind_for_this_machine() {
  local pinned
  pinned="$(sed -n 's/^nvidia-cuda-runtime==\([0-9]*\)\..*/\1/p' "$1/tools/requirements/torch-cpu.txt")"
  if [[ "$(cuda_toolkit_major)" == "$pinned" ]]; then echo cuda; else echo cpu; fi
}

# True when environment $2 of repository $1 is complete and has kind $3 (cuda includes cpu).
torch_is_there() {
  local repository="$1" venv="$2" kind="$3" stamp
  stamp="$(cat "$venv/ditscale-torch" 2>/dev/null)" || return 1
  [[ "$stamp" == "$(torch_stamp "$repository" "$kind")" || "$stamp" == "$(torch_stamp "$repository" cuda)" ]] || return 1
  compgen -G "$venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so" >/dev/null
}

# Fails, naming them, when libraries that LibTorch of kind $2 in environment $1 loads cannot be found.
check_torch_libraries() {
  local venv="$1" kind="$2" name=libtorch_cpu.so unresolved library
  [[ "$kind" == cpu ]] || name=libtorch_cuda.so
  library="$(compgen -G "$venv/lib/python3*/site-packages/torch/lib/$name")" || fail "the torch wheel holds no $name."
  unresolved="$(ldd "$library" | awk '/not found/ {print $1}' | sort -u | xargs)"
  [[ -z "$unresolved" ]] || fail "LibTorch cannot find $unresolved (needed by $library)." \
    "Remove $venv and run this again; if that does not help, the pins in tools/requirements/torch-$kind.txt are wrong."
}

# install_torch <repository> <venv> <kind>
install_torch() {
  local repository="$1" venv="$2" kind="$3" python
  if [[ -d "$venv" && ! -f "$venv/ditscale-torch" ]]; then
    say "$venv is incomplete (interrupted?): making it anew"
    rm -rf "$venv"
  fi
  python="$(python_with_venv)"
  [[ -d "$venv" ]] || say "making a virtual environment in $venv"
  rm -f "$venv/ditscale-torch"
  "$venv/bin/python" -c 'import pip' 2>/dev/null || "$python" -m venv --clear "$venv" ||
    fail "$python -m venv $venv failed: is there space on the disk, and is python3-venv installed?"

  say "fetching LibTorch ($kind) into $venv: a few minutes at first"
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps \
    -r "$repository/tools/requirements/torch-$kind.txt" ||
    fail "pip could not install LibTorch. Look at its message above (network, proxy, disk space) and run this again."
  check_torch_libraries "$venv" "$kind"
  torch_stamp "$repository" "$kind" >"$venv/ditscale-torch"
}

# setup_torch <repository> <auto|cpu|cuda> <dry run 0|1>
setup_torch() {
  local repository venv kind="$2" dry_run="$3"
  repository="$(cd "$1" && pwd)"
  venv="$repository/.venv"
  [[ "$kind" != auto ]] || kind="$(torch_kind_for_this_machine "$repository")"
  if torch_is_there "$repository" "$venv" "$kind"; then
    return 0
  fi
  if ((dry_run)); then
    say "would install LibTorch ($kind) into $venv"
    return 0
  fi
  install_torch "$repository" "$venv" "$kind"
}
