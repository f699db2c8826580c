#!/usr/bin/env python3
"""Holds `worker distance` against torch-fidelity and pytorch-fid on the same made-up features.

FID, Inception Score, KID (one subset of all vectors), precision and recall must agree to 1e-3 relative.

    make peers && tools/peers/compare_scores.py --worker build/bin/worker
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import environment

LIMIT = 1e-3


def make_features(count, width, classes, seed, scale, shift):
    """Correlated, with a decaying spectrum and all positive, as pooled activations are."""
    random = numpy.random.default_rng(seed)
    mixing = numpy.random.default_rng(0).normal(size=(width, width)) * numpy.arange(1, width + 1)[:, None] ** -0.5
    pooled = numpy.abs(scale * random.normal(size=(count, width)) @ mixing + shift).astype(numpy.float32)
    return {"pooled": pooled, "logits": (2 * random.normal(size=(count, classes))).astype(numpy.float32)}


def peers_scores(samples, real):
    x, y = torch.from_numpy(samples["pooled"]), torch.from_numpy(real["pooled"])
    statistics = [(f.astype(numpy.float64).mean(0), numpy.cov(f.astype(numpy.float64), rowvar=False))
                  for f in (samples["pooled"], real["pooled"])]
    splits = max(1, -(-len(x) // 5000))
    neighbours = metric_prc.prc_features_to_metric(x, y, prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False,
                                                   verbose=False)
    kid = metric_kid.kid_features_to_metric(x.double(), y.double(), kid_subsets=1, kid_subset_size=len(x), verbose=False)
    inception = metric_isc.isc_features_to_metric(torch.from_numpy(samples["logits"]), splits, False, 0)
    fid = {"fid": fid_score.calculate_frechet_distance(*statistics[0], *statistics[1])}
    fid_too = metric_fid.fid_statistics_to_metric(
        *({"mu": mu, "sigma": sigma} for mu, sigma in statistics), verbose=False)
    return [("pytorch-fid", fid),
            ("torch-fidelity", {"fid": fid_too[metric_fid.KEY_METRIC_FID],
                                "inception_score": inception[metric_isc.KEY_METRIC_ISC_MEAN],
                                "kid": kid[metric_kid.KEY_METRIC_KID_MEAN],
                                "precision": neighbours[metric_prc.KEY_METRIC_PRECISION],
                                "recall": neighbours[metric_prc.KEY_METRIC_RECALL]})]


def compare(args, label, samples, real, folder):
    numpy.savez(folder / "samples.npz", **samples)
    numpy.savez(folder / "real.npz", **real)
    report = subprocess.run([args.worker, "distance", folder / "samples.npz", folder / "real.npz", "--json"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    ours = json.loads(report)["metrics"]
    worst = 0.0
    for peer, scores in peers_scores(samples, real):
        for name, expected in scores.items():
            value = ours[name]["value"]
            error = abs(value - expected) / max(abs(expected), 1e-12)
            worst = max(worst, error)
            print(f"{label}: {name} {value:.9g}, {peer} {expected:.9g}, relative difference {error:.1e}", flush=True)
    return worst < LIMIT


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ditscale-scores-") as name:
        folder = pathlib.Path(name)
        good = [compare(args, f"{width} features, {count} vectors", make_features(count, width, 10, 1, 1.1, 0.1),
                        make_features(count, width, 10, 2, 1.0, 0.0), folder)
                for width, count in ((8, 3000), (64, 10000), (256, 1000))]
    if not all(good):
        sys.exit(f"compare_scores: a relative difference is {LIMIT:.0e} or more")


if __name__ == "__main__":
    environment.use_peers()
    import numpy
    import torch
    from pytorch_fid import fid_score
    from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

    main()
