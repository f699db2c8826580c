#!/usr/bin/env python3
"""Times a training step of this project's worker against the same model in eager PyTorch, in turn.

Both train a DiT with adaLN-Zero blocks on random bytes: hybrid loss, AdamW, EMA, float32, the same number of threads, the
same LibTorch (`make peers` installs the wheel the worker links). Prints each pair of runs and the median ratio.

    make peers && .venv-peers/bin/python tools/peers/compare_step.py
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CLASSES, CHANNELS, SIDE, TIMESTEPS = 1000, 4, 32, 1000


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.modulation = nn.Linear(width, 6 * width)

    def attend(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d))

    def forward(self, x, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(F.silu(c)).unsqueeze(1).chunk(6, dim=2)
        x = x + gate1 * self.attend(self.norm1(x) * (1 + scale1) + shift1)
        hidden = F.gelu(self.fc1(self.norm2(x) * (1 + scale2) + shift2), approximate="tanh")
        return x + gate2 * self.fc2(hidden)


class Dit(nn.Module):
    def __init__(self, depth, width, heads, patch):
        super().__init__()
        self.patch = patch
        tokens = (SIDE // patch) ** 2
        self.embed = nn.Conv2d(CHANNELS, width, patch, stride=patch)
        self.position = nn.Parameter(torch.randn(1, tokens, width) * 0.02, requires_grad=False)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(CLASSES + 1, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, patch * patch * 2 * CHANNELS)
        frequencies = torch.exp(-math.log(10000.0) * torch.arange(128) / 128)
        self.register_buffer("frequencies", frequencies)

    def forward(self, x, t, y):
        angles = t[:, None].float() * self.frequencies
        c = self.time(torch.cat([angles.cos(), angles.sin()], 1)) + self.label(y)
        x = self.embed(x).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x, c)
        shift, scale = self.modulation(F.silu(c)).unsqueeze(1).chunk(2, dim=2)
        x = self.out(self.norm(x) * (1 + scale) + shift)
        side, p = SIDE // self.patch, self.patch
        x = x.view(x.shape[0], side, side, p, p, 2 * CHANNELS).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(x.shape[0], 2 * CHANNELS, SIDE, SIDE)


class Diffusion:
    def __init__(self):
        beta = torch.linspace(1e-4, 2e-2, TIMESTEPS, dtype=torch.float64)
        product = torch.cumprod(1 - beta, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), product[:-1]])
        variance = beta * (1 - before) / (1 - product)
        variance[0] = variance[1]
        self.signal, self.noise = product.sqrt().float(), (1 - product).sqrt().float()
        self.mean_x0 = (beta * before.sqrt() / (1 - product)).float()
        self.from_noise = (1 / product - 1).sqrt().float()
        self.log_beta, self.log_variance = beta.log().float(), variance.log().float()

    def loss(self, model, x0, t, y, noise):
        at = lambda table: table[t][:, None, None, None]
        predicted, v = model(at(self.signal) * x0 + at(self.noise) * noise, t, y).chunk(2, dim=1)
        simple = F.mse_loss(predicted, noise)
        true = at(self.log_variance)
        fraction = (v + 1) / 2
        log_variance = fraction * at(self.log_beta) + (1 - fraction) * true
        difference = at(self.mean_x0) * at(self.from_noise) * (noise - predicted.detach())
        bound = -1 + log_variance - true + (true - log_variance).exp() + difference**2 * (-log_variance).exp()
        return simple + 0.5 * bound.mean() / math.log(2)


def time_pytorch(args):
    """Median seconds of a step."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = Dit(args.depth, args.width, args.heads, args.patch)
    averages = [p.detach().clone() for p in model.parameters()]
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0)
    diffusion = Diffusion()
    images = torch.randint(0, 256, (4 * args.batch, CHANNELS, SIDE, SIDE), dtype=torch.uint8)
    seconds = []
    for i in range(3 + args.steps):
        start = time.perf_counter()
        chosen = torch.randint(0, len(images), (args.batch,))
        x0 = images[chosen].float() / 127.5 - 1
        y = torch.randint(0, CLASSES + 1, (args.batch,))
        loss = diffusion.loss(model, x0, torch.randint(0, TIMESTEPS, (args.batch,)), y, torch.randn_like(x0))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, [p.detach() for p in model.parameters()], 1e-4)
        loss.item()
        if i >= 3:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def time_worker(args):
    assignments = {"model.depth": args.depth, "model.width": args.width, "model.heads": args.heads,
                   "model.patch": args.patch, "train.global_batch": args.batch, "train.precision": "fp32"}
    command = [args.worker, "bench", "--json", "--device", "cpu", "--steps", str(args.steps), "--threads", str(args.threads)]
    for path, value in assignments.items():
        command += ["--set", f"{path}={value}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["step_s_median"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--patch", type=int, default=4)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only-pytorch", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only_pytorch:
        print(time_pytorch(args))
        return
    ratios = []
    for i in range(args.rounds):
        # A process of its own for each run, so that neither warms the other's memory.
        run = subprocess.run([sys.executable, *sys.argv, "--only-pytorch"], check=True, capture_output=True, text=True)
        peer, ours = float(run.stdout), time_worker(args)
        ratios.append(peer / ours)
        print(f"round {i + 1}: PyTorch {args.batch / peer:7.1f} images/s, worker {args.batch / ours:7.1f} images/s, "
              f"ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} (above 1: the worker is faster), torch {torch.__version__}")


if __name__ == "__main__":
    main()
