#!/usr/bin/env bash
# Prints how many files to compile at once: one per core, but no more than one per 2.5 GB of memory, since a file with
# LibTorch's headers takes over a gigabyte. A container's memory limit counts too.
set -euo pipefail

memory_kb="$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)"
limit="$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)"
if [[ "$limit" =~ ^[0-9]+$ ]] && ((limit / 1024 < memory_kb)); then
  memory_kb=$((limit / 1024))
fi
jobs="$(nproc)"
by_memory=$((memory_kb / 2500000))
((by_memory >= jobs)) || jobs="$by_memory"
((jobs >= 1)) || jobs=1
echo "$jobs"
