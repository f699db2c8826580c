#!/usr/bin/env python3
"""Times the Fréchet distance of `worker distance` against SciPy's sqrtm, as pytorch-fid uses it, in turn.

Both get the same statistics of 2,048 features; the worker's reference has its factor ready, SciPy starts from the product
of the covariances. Give the machine nothing else to do.

    make peers && tools/peers/time_frechet.py --worker build/bin/worker --threads 2
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import environment


def make_statistics(width, seed, path):
    """Of 10,000 vectors with a decaying spectrum."""
    random = numpy.random.default_rng(seed)
    x = random.normal(size=(10000, width)) * numpy.logspace(0, -2, width) + 0.01 * seed
    mu, sigma = x.mean(0), numpy.cov(x, rowvar=False)
    numpy.savez(path, mu=mu, sigma=sigma)
    return mu, sigma


def time_worker(args, samples, real):
    report = subprocess.run([args.worker, "distance", samples, real, "--json", "--threads", str(args.threads)], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return json.loads(report)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory(prefix="ditscale-frechet-") as name, \
            threadpoolctl.threadpool_limits(args.threads) if threadpoolctl else contextlib.nullcontext():
        folder = pathlib.Path(name)
        samples, real = make_statistics(args.width, 1, folder / "a.npz"), make_statistics(args.width, 2, folder / "b.npz")
        for i in range(args.rounds):
            report = time_worker(args, folder / "a.npz", folder / "b.npz")
            start = time.perf_counter()
            expected = fid_score.calculate_frechet_distance(*samples, *real)
            seconds = time.perf_counter() - start
            value = report["metrics"]["fid"]["value"]
            ratios.append(seconds / report["seconds"])
            print(f"round {i + 1}: pytorch-fid {seconds:.2f} s, worker {report['seconds']:.2f} s (and {report['reference_seconds']:.2f} s "
                  f"once per reference), ratio {ratios[-1]:.1f}, values differ by {abs(value - expected) / expected:.1e}", flush=True)
    print(f"median ratio {statistics.median(ratios):.1f} (above 1: the worker is faster), {args.width} features, {args.threads} "
          f"threads, scipy {scipy.__version__}, numpy {numpy.__version__}")


if __name__ == "__main__":
    environment.use_peers()
    import contextlib

    import numpy
    import scipy
    from pytorch_fid import fid_score

    try:
        import threadpoolctl
    except ImportError:  # then OMP_NUM_THREADS decides
        threadpoolctl = None

    main()
