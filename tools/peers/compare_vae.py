#!/usr/bin/env python3
"""Holds the worker's AutoencoderKL against diffusers' on random weights, encoding and decoding, in float32.

Both read the same safetensors file; the relative error (L2) must stay below 1e-5. At the published size each differs from
a computation in float64 by about as much as from the other: 4,608 products in each sum, fifty sums deep. With --bench it
times both on pictures of 256 pixels instead, in turn.

    make peers && tools/peers/compare_vae.py --worker build/bin/worker
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import environment

LIMIT = 1e-5
OLDER = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
SD_WIDTHS = (128, 256, 512, 512)


def make_vae(widths, layers=2, **more):
    """Random weights; normalisations too are not what they start as."""
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=widths, layers_per_block=layers, latent_channels=4,
        down_block_types=["DownEncoderBlock2D"] * len(widths), up_block_types=["UpDecoderBlock2D"] * len(widths), **more)
    with torch.no_grad():
        for name, values in vae.named_parameters():
            if values.dim() == 1:
                values += 0.1 * torch.randn_like(values)
    return vae.eval().requires_grad_(False)


def save_older(vae, folder):
    """As files of diffusers before 0.15: attention under other names, its matrices as 1 x 1 convolutions."""
    tensors = {}
    for name, values in vae.state_dict().items():
        for now, before in OLDER.items():
            if now in name:
                name = name.replace(now, before)
                values = values[:, :, None, None] if values.dim() == 2 else values
        tensors[name] = values.contiguous()
    folder.mkdir()
    safetensors.torch.save_file(tensors, folder / "vae.safetensors")
    return folder / "vae.safetensors"


def run_worker(args, verb, weights, inputs, folder):
    """The arrays and the JSON report of `worker vae VERB`."""
    numpy.savez(folder / "in.npz", **inputs)
    command = [args.worker, "vae", verb, folder / "in.npz", folder / "out.npz", "--vae", weights, "--device", "cpu",
               "--threads", args.threads, "--json"]
    report = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(numpy.load(folder / "out.npz")), json.loads(report)


def error_of(actual, expected):
    expected = expected.double()
    return ((torch.from_numpy(actual).double() - expected).norm() / expected.norm()).item()


def compare(args, label, vae, weights, side, count, folder):
    images = torch.rand(count, 3, side, side) * 2 - 1
    posterior = vae.encode(images).latent_dist
    latents = posterior.mean + posterior.std * torch.randn_like(posterior.mean)
    encoded, _ = run_worker(args, "encode", weights, {"images": images.numpy()}, folder)
    decoded, _ = run_worker(args, "decode", weights, {"latents": latents.numpy()}, folder)
    errors = {"mean": error_of(encoded["mean"], posterior.mean), "logvar": error_of(encoded["logvar"], posterior.logvar),
              "decoded": error_of(decoded["images"], vae.decode(latents).sample)}
    print(f"{label}: relative error " + ", ".join(f"{name} {error:.1e}" for name, error in errors.items()), flush=True)
    return all(error < LIMIT for error in errors.values())


def check(args, folder):
    small = make_vae((32, 64, 64), layers=1)
    small.save_pretrained(folder / "small", safe_serialization=True)
    grouped = make_vae((16, 24), norm_num_groups=8)
    grouped.save_pretrained(folder / "grouped", safe_serialization=True)
    published = make_vae(SD_WIDTHS)
    published.save_pretrained(folder / "published", safe_serialization=True)
    weights = folder / "published" / "diffusion_pytorch_model.safetensors"
    good = [compare(args, "widths 32, 64, 64", small, folder / "small", 48, 3, folder),
            compare(args, "8 groups", grouped, folder / "grouped", 34, 2, folder),
            compare(args, "older names", small, save_older(small, folder / "older"), 32, 1, folder),
            compare(args, "sd-vae's size", published, weights, 64, 2, folder)]
    return all(good)


def time_peer(args, verb, vae, inputs):
    """Seconds of the second of two calls: the first warms up."""
    work = (lambda x: vae.encode(x).latent_dist.mean) if verb == "encode" else (lambda x: vae.decode(x).sample)
    for _ in range(2):
        start = time.perf_counter()
        work(inputs)
        seconds = time.perf_counter() - start
    return seconds


def bench(args, folder):
    torch.set_num_threads(args.threads)
    vae = make_vae(SD_WIDTHS)
    vae.save_pretrained(folder / "published", safe_serialization=True)
    inputs = {"encode": ("images", torch.rand(args.batch, 3, args.side, args.side) * 2 - 1),
              "decode": ("latents", torch.randn(args.batch, 4, args.side // 8, args.side // 8))}
    for verb, (name, values) in inputs.items():
        ratios = []
        for i in range(args.rounds):
            ours = run_worker(args, verb, folder / "published", {name: values.numpy()}, folder)[1]["seconds"]
            peer = time_peer(args, verb, vae, values)
            ratios.append(peer / ours)
            print(f"{verb} round {i + 1}: diffusers {args.batch / peer:.3f} images/s, worker {args.batch / ours:.3f} "
                  f"images/s, ratio {ratios[-1]:.2f}", flush=True)
        print(f"{verb}: median ratio {statistics.median(ratios):.2f} (above 1: the worker is faster), {args.side} pixels, "
              f"batches of {args.batch}, {args.threads} threads, torch {torch.__version__}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest worker: {peak / 2**20:.2f} GiB resident")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bench", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--side", type=int, default=256)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ditscale-vae-") as name, torch.no_grad():
        folder = pathlib.Path(name)
        if args.bench:
            bench(args, folder)
        elif not check(args, folder):
            sys.exit(f"compare_vae: a relative error is {LIMIT:.0e} or more")


if __name__ == "__main__":
    environment.use_peers()
    import diffusers
    import numpy
    import safetensors.torch
    import torch

    main()
