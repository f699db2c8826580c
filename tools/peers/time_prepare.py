#!/usr/bin/env python3
"""Times `worker prepare` on a made-up folder of JPEG files against decoding them and nothing else.

Makes the folder, decodes it plainly (data_pace, and Pillow in as many processes), prepares a store, then prepares it
again with a kill halfway, and times the loader. Needs `make peers` and `cmake --build build --target worker data_pace`.

    tools/peers/time_prepare.py build/bin --images 20000 --folder /tmp/jpegs
"""

import argparse
import multiprocessing
import os
import pathlib
import shutil
import signal
import subprocess
import time

from environment import use_peers

use_peers()

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

WIDTH, HEIGHT, CLASSES = 400, 300, 20


def make_some(task):
    """Images of a photograph's statistics: noise with a falling spectrum, so that files have a photograph's size."""
    folder, begin, end = task
    random = np.random.default_rng(begin)
    frequency = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None])
    falling = 1 / np.maximum(frequency, 1 / WIDTH)
    for i in range(begin, end):
        waves = np.fft.irfft2(np.fft.rfft2(random.standard_normal((3, HEIGHT, WIDTH))) * falling, (HEIGHT, WIDTH))
        pixels = np.clip(127 + 45 * waves / waves.std(), 0, 255).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / f"class_{i % CLASSES:02}" / f"{i:06}.jpg", quality=90)


def make_folder(folder, images, processes):
    for c in range(CLASSES):
        (folder / f"class_{c:02}").mkdir(parents=True, exist_ok=True)
    tasks = [(folder, begin, min(begin + 100, images)) for begin in range(0, images, 100)]
    with multiprocessing.Pool(processes) as pool:
        pool.map(make_some, tasks)


def pillow_decode(path):
    Image.open(path).convert("RGB")


def time_pillow(folder, processes):
    paths = sorted(folder.rglob("*.jpg"))
    with multiprocessing.Pool(processes) as pool:
        start = time.monotonic()
        pool.map(pillow_decode, paths, chunksize=100)
        seconds = time.monotonic() - start
    print(f"Pillow decoding, {processes} processes: {len(paths)} images in {seconds:.2f} s, {len(paths) / seconds:.0f} images/s")


def prepare(programs, folder, store, processes):
    return [programs / "worker", "prepare", folder, "--out", store, "--image-size", "256", "--processes", str(processes)]


def done_shards(store):
    return len(list(pathlib.Path(f"{store}.parts").glob("shard-*.json")))


def prepare_with_a_kill(command, store, shards):
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while done_shards(store) < shards:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    print(f"killed after {done_shards(store)} shards, {time.monotonic() - start:.1f} s")
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    print(f"continued in {time.monotonic() - start:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=20000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    programs, processes = arguments.programs.resolve(), arguments.processes
    images = arguments.folder / "images"
    if not images.exists():
        make_folder(images, arguments.images, processes)
    whole, killed = arguments.folder / "whole.h5", arguments.folder / "killed.h5"
    for old in (whole, killed):
        old.unlink(missing_ok=True)
        shutil.rmtree(f"{old}.parts", ignore_errors=True)
    for _ in range(2):  # the second time from the page cache
        subprocess.run([programs / "data_pace", "decode", images, "--threads", str(processes)], check=True)
    time_pillow(images, processes)
    start = time.monotonic()
    subprocess.run(prepare(programs, images, whole, processes), check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    print(f"worker prepare, {processes} processes: {arguments.images} images in {seconds:.2f} s, {arguments.images / seconds:.0f} images/s")
    prepare_with_a_kill(prepare(programs, images, killed, processes), killed, arguments.images // 2000)
    same = subprocess.run(["cmp", whole, killed]).returncode == 0
    print("the killed store equals the other" if same else "THE STORES DIFFER")
    subprocess.run([programs / "data_pace", "load", whole, "--threads", str(processes)], check=True)
    subprocess.run([programs / "data_pace", "load", whole, "--threads", str(processes)], check=True)


if __name__ == "__main__":
    main()
