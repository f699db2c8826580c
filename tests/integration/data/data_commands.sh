#!/usr/bin/env bash
# Runs the commands that docs/data.md shows, as they stand there, on a few images.
# Usage: data_commands.sh <source folder> <folder of the programs>
source "$(dirname "$0")/../shown_commands.sh"

# PNG files of two classes, and one that is cut short.
python3 - <<'PYTHON'
import os, struct, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

for i in range(20):
    rows = b"".join(b"\0" + bytes((x * i + y) % 256 for x in range(3 * 80)) for y in range(70))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 80, 70, 8, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    os.makedirs(f"images/class_{i % 2}", exist_ok=True)
    open(f"images/class_{i % 2}/{i:02}.png", "wb").write(png if i != 5 else png[:200])
PYTHON

take_commands 3 < <(commands_of docs/data.md)
run_commands
grep -q '"num_images": 19' data.json
grep -q 'class_1/05.png: ' store.h5.damaged.txt
[ "$(worker prepare images --list | wc -l)" -eq 20 ]

# The printed object is what a trial needs, and a store that was changed afterwards is refused.
python3 - <<'PYTHON'
import json

data = json.load(open("data.json"))["data"]
model = {"depth": 1, "width": 16, "heads": 2, "patch": 8}
train = {"global_batch": 8, "steps": 4, "ema_decay": 0.9}
json.dump({"data": data, "model": model, "train": train}, open("trial.json", "w"))
json.dump({"data": data | {"digest": "0" * 32}, "model": model, "train": train}, open("other.json", "w"))
PYTHON
worker train trial.json --folder run
ls run/checkpoints/step-4.h5 > /dev/null
if worker train other.json --folder other 2> refusal.txt; then
  echo "a store with another digest was accepted" >&2
  exit 1
fi
grep -q 'is not the store that the trial describes' refusal.txt
