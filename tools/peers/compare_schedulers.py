#!/usr/bin/env python3
"""Holds every step of this project's samplers against diffusers' schedulers.

`worker trace-sampler` runs a sampler on a made-up model and writes x, the model's outputs and the noise of each step.
Here each of its steps is made again by a scheduler of diffusers, from the same x, output and noise, at the same
timesteps. The largest difference, over the largest value of the step, must stay below 1e-5 (both compute in float32).

diffusers keeps its tables in float32: 1 - 0.9999 is then wrong by 6e-4. They are replaced by the same tables in float64,
computed from diffusers' own betas; its step code is left alone. Conventions that differ, and what is done:
 - timesteps: ours are i 999 / (N - 1) rounded half to even, first and last included; they are handed over. DDIMScheduler
   knows equal strides only: it is compared at numbers of steps where ours are equal. DPM-Solver's are diffusers'
   "linspace".
 - FlowMatchHeunDiscreteScheduler ends its grid at 1/1000 and shifts it twice: ours is handed over.
 - a shifted schedule has no counterpart for ddpm: its betas are handed over as `trained_betas`.

    make peers && tools/peers/compare_schedulers.py --worker build/bin/worker
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from environment import use_peers

use_peers()

import diffusers
import numpy as np
import torch
from diffusers import schedulers
from diffusers.schedulers import scheduling_ddpm

LIMIT = 1e-5
TIMESTEPS = 1000
PREDICTIONS = {"noise": "epsilon", "x0": "sample", "v": "v_prediction"}
SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}


class Trace:
    def __init__(self, worker, sampler, steps, settings):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "trace.json"
            command = [worker, "trace-sampler", "--sampler", sampler, "--steps", str(steps), "--out", str(file)]
            for key, value in settings.items():
                command += ["--set", f"objective.{key}={value}"]
            subprocess.run(command, check=True, capture_output=True, text=True)
            arrays = json.loads(file.read_text())
        self.x, self.time, self.output, self.noise = (
            torch.tensor(arrays[k]["values"]).view(arrays[k]["shape"]) for k in ("x", "time", "output", "noise"))
        self.steps = steps
        self.channels = self.x.shape[2]

    def check_model(self, learned):
        """The model that the trace claims, at the x of the steps (single evaluations each)."""
        x, t = self.x[:-1], self.time.view(-1, 1, 1, 1, 1)
        output = 0.6 * torch.tanh(x) + 0.3 * torch.cos(3 * x + t / 100)
        if learned:
            output = torch.cat([output, torch.sin(2 * x + t / 300)], 2)
        assert torch.allclose(output, self.output, atol=2e-3), (output - self.output).abs().max()

    def timesteps(self):
        return [int(t) for t in self.time]


def respaced(steps):
    return [round(i * (TIMESTEPS - 1) / (steps - 1)) for i in range(steps)][::-1]


def relative_errors(trace, step):
    """step(i) is the other's x after step i."""
    return [float((step(i) - trace.x[i + 1]).abs().max() / trace.x[i + 1].abs().max()) for i in range(trace.steps)]


def exact_tables(scheduler):
    betas = scheduler.betas.double()
    scheduler.betas = betas
    scheduler.alphas = 1 - betas
    scheduler.alphas_cumprod = torch.cumprod(scheduler.alphas, 0)
    if hasattr(scheduler, "alpha_t"):
        scheduler.alpha_t = scheduler.alphas_cumprod.sqrt()
        scheduler.sigma_t = (1 - scheduler.alphas_cumprod).sqrt()
        scheduler.lambda_t = scheduler.alpha_t.log() - scheduler.sigma_t.log()
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    return scheduler


def betas_of(schedule, shift):
    """diffusers' betas in float64; a shift divides every signal-to-noise ratio by its square."""
    if schedule == "linear":
        betas = np.linspace(1e-4, 2e-2, TIMESTEPS, dtype=np.float64)
    else:
        betas = np.array(schedulers.scheduling_ddpm.betas_for_alpha_bar(TIMESTEPS).double())
    if shift == 1:
        return betas
    product = np.cumprod(1 - betas)
    ratio = product / (1 - product) / shift**2
    product = ratio / (1 + ratio)
    return 1 - product / np.concatenate([[1.0], product[:-1]])


def options(settings):
    schedule, shift = settings.get("schedule", "linear"), float(settings.get("shift", 1))
    base = {"num_train_timesteps": TIMESTEPS, "prediction_type": PREDICTIONS[settings.get("prediction", "noise")]}
    if shift == 1:
        return base | {"beta_start": 1e-4, "beta_end": 2e-2, "beta_schedule": SCHEDULES[schedule]}
    return base | {"trained_betas": betas_of(schedule, shift)}


def compare_ddpm(worker, steps, settings):
    trace = Trace(worker, "ddpm", steps, settings)
    learned = settings.get("learn_variance") != "false"
    trace.check_model(learned)
    variance = "learned_range" if learned else "fixed_" + settings.get("fixed_variance", "large")
    scheduler = exact_tables(schedulers.DDPMScheduler(**options(settings), variance_type=variance, clip_sample=False))
    scheduler.set_timesteps(timesteps=respaced(steps))
    assert scheduler.timesteps.tolist() == trace.timesteps()
    current = {}
    scheduling_ddpm.randn_tensor = lambda shape, **_: current["noise"]

    def step(i):
        current["noise"] = trace.noise[i]
        return scheduler.step(trace.output[i], trace.timesteps()[i], trace.x[i]).prev_sample

    return relative_errors(trace, step)


def compare_ddim(worker, steps, settings):
    trace = Trace(worker, "ddim", steps, settings)
    stride, rest = divmod(TIMESTEPS - 1, steps - 1)
    assert rest == 0 and TIMESTEPS // (steps - 1) == stride, "unequal strides"
    scheduler = exact_tables(schedulers.DDIMScheduler(**options(settings), clip_sample=False, set_alpha_to_one=True))
    scheduler.num_inference_steps = steps - 1  # it steps by 1000 // this
    times = trace.timesteps()
    assert times == respaced(steps)
    output = trace.output[:, :, : trace.channels]
    return relative_errors(trace, lambda i: scheduler.step(output[i], times[i], trace.x[i]).prev_sample)


def compare_dpm_solver(worker, steps, settings):
    trace = Trace(worker, "dpm_solver", steps, settings)
    scheduler = exact_tables(schedulers.DPMSolverMultistepScheduler(
        **options(settings), algorithm_type="dpmsolver++", solver_order=2, solver_type="midpoint", final_sigmas_type="zero",
        lower_order_final=True))
    scheduler.set_timesteps(steps)  # "linspace", our timesteps
    assert scheduler.timesteps.tolist() == trace.timesteps()
    product = scheduler.alphas_cumprod[scheduler.timesteps]
    scheduler.sigmas = torch.cat([((1 - product) / product).sqrt(), torch.zeros(1, dtype=torch.float64)])
    output = trace.output[:, :, : trace.channels]
    return relative_errors(trace, lambda i: scheduler.step(output[i], scheduler.timesteps[i], trace.x[i]).prev_sample)


def flow_sigmas(steps, shift):
    even = np.arange(steps, -1, -1, dtype=np.float64) / steps
    return shift * even / (1 + (shift - 1) * even)


def compare_euler(worker, steps, settings):
    trace = Trace(worker, "euler", steps, settings)
    trace.check_model(False)
    scheduler = schedulers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=TIMESTEPS, shift=float(settings.get("shift", 1)))
    scheduler.set_timesteps(sigmas=[1 - i / steps for i in range(steps)])
    assert torch.allclose(scheduler.timesteps, trace.time, rtol=1e-6)
    return relative_errors(trace, lambda i: scheduler.step(trace.output[i], scheduler.timesteps[i], trace.x[i]).prev_sample)


def compare_heun(worker, steps, settings):
    trace = Trace(worker, "heun", steps, settings)
    scheduler = schedulers.FlowMatchHeunDiscreteScheduler(num_train_timesteps=TIMESTEPS)
    scheduler.set_timesteps(steps)
    sigmas = torch.from_numpy(flow_sigmas(steps, float(settings.get("shift", 1)))).float()
    scheduler.sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
    scheduler.timesteps = scheduler.sigmas[:-1] * TIMESTEPS
    assert scheduler.timesteps.shape == trace.time.shape and torch.allclose(scheduler.timesteps, trace.time, rtol=1e-6)
    scheduler.set_begin_index(0)

    def step(i):
        x = scheduler.step(trace.output[2 * i], scheduler.timesteps[2 * i], trace.x[i]).prev_sample
        if i == steps - 1:
            return x
        return scheduler.step(trace.output[2 * i + 1], scheduler.timesteps[2 * i + 1], x).prev_sample

    return relative_errors(trace, step)


def ddpm_cases():
    for schedule in SCHEDULES:
        for prediction in PREDICTIONS:
            yield {"schedule": schedule, "prediction": prediction}
    yield {"shift": "2"}
    yield {"schedule": "cosine", "shift": "3", "prediction": "v"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    worker = parser.parse_args().worker
    failures = 0

    def report(name, compare, steps, settings):
        nonlocal failures
        worst = max(compare(worker, steps, settings))
        failures += not worst < LIMIT
        text = " ".join(f"{k}={v}" for k, v in settings.items()) or "as by default"
        print(f"{'ok  ' if worst < LIMIT else 'FAIL'} {name:10} {steps:4} steps  {worst:.1e}  {text}", flush=True)

    for case in ddpm_cases():
        for variance in ({}, {"learn_variance": "false"}, {"learn_variance": "false", "fixed_variance": "small"}):
            report("ddpm", compare_ddpm, 50, case | variance)
        report("ddim", compare_ddim, 28, case)
        report("dpm_solver", compare_dpm_solver, 20, case)
    report("ddpm", compare_ddpm, 250, {})
    report("ddim", compare_ddim, 112, {})
    report("dpm_solver", compare_dpm_solver, 10, {})
    for shift in ({}, {"shift": "3"}):
        for steps in (1, 2, 25):
            report("euler", compare_euler, steps, {"kind": "flow"} | shift)
            report("heun", compare_heun, steps, {"kind": "flow"} | shift)
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}: {failures} failures, limit {LIMIT:.0e}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
