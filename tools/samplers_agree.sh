#!/usr/bin/env bash
# Trains a small ddpm and a small flow on Fashion-MNIST, then scores each sampler at many steps with several sample seeds
# and asks whether their FIDs agree: no pair of means may differ by more than 3 standard errors of the difference plus 3 %.
# (Ancestral and deterministic steps of an imperfect model draw from slightly different distributions: the 3 %.)
#
#     tools/samplers_agree.sh [FOLDER]      about 20 minutes on two cores; FOLDER keeps the models, default a temporary one
#
# BIN: where the programs are (build/bin). SAMPLES: images of each score (2000). SEEDS: sample seeds ("0 1 2").
# STEPS: training steps (2000). Exit code 1: a pair does not agree.
set -euo pipefail

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
worker="${BIN:-$repository/build/bin}/worker"
samples="${SAMPLES:-2000}" seeds="${SEEDS:-0 1 2}" steps="${STEPS:-2000}"
folder="${1:-}"
if [[ -z "$folder" ]]; then
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
fi

train() { # name objective
  local trial="$folder/$1.json"
  cat >"$trial" <<JSON
{ "data": {"name": "fashion_mnist", "flip": false},
  "model": {"depth": 4, "width": 96, "heads": 4, "patch": 7},
  "objective": $2,
  "train": {"global_batch": 64, "steps": $steps, "lr": 1e-3, "ema_decay": 0.998, "log_every_steps": 500},
  "checkpoint": {"every_steps": 1000},
  "resources": {"cpus": 2} }
JSON
  "$worker" train "$trial" --folder "$folder/$1"
}

score() { # name sampler steps → "name sampler steps mean standard_error fids…"
  local fids=()
  for seed in $seeds; do
    fids+=("$("$worker" --log-level warn evaluate "$folder/$1" --sampler "$2" --steps "$3" --num-samples "$samples" \
      --sample-seed "$seed" --json | sed -n 's/^ *"fid": *\([0-9.e+-]*\).*/\1/p')")
  done
  printf '%s\n' "${fids[@]}" | awk -v name="$1" -v sampler="$2" -v steps="$3" '
    { sum += $1; squares += $1 * $1; all = all " " sprintf("%.2f", $1) }
    END { mean = sum / NR
          variance = NR > 1 ? (squares - NR * mean * mean) / (NR - 1) : 0
          if (variance < 0) variance = 0
          printf "%s %s %d %.3f %.3f%s\n", name, sampler, steps, mean, sqrt(variance / NR), all }' |
    tee -a "$folder/scores.txt"
}

mkdir -p "$folder"
: >"$folder/scores.txt"
train ddpm '{"kind": "ddpm"}'
train flow '{"kind": "flow"}'
echo "model sampler steps mean standard_error fids"
score ddpm ddpm 250
score ddpm ddim 250
score ddpm dpm_solver 100
score flow euler 250
score flow heun 60

awk '
  { name[NR] = $1; sampler[NR] = $2; mean[NR] = $4; error[NR] = $5 }
  END { for (i = 1; i <= NR; ++i) for (j = i + 1; j <= NR; ++j) if (name[i] == name[j]) {
          difference = mean[i] > mean[j] ? mean[i] - mean[j] : mean[j] - mean[i]
          room = 3 * sqrt(error[i] ^ 2 + error[j] ^ 2) + 0.03 * (mean[i] + mean[j]) / 2
          good = difference <= room
          failures += !good
          printf "%s %s: %s and %s differ by %.3f (room %.3f)\n", good ? "ok  " : "FAIL", name[i], sampler[i], sampler[j], difference, room }
        exit failures > 0 }' "$folder/scores.txt"
