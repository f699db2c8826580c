#!/usr/bin/env python3
"""Writes tests/golden/frechet.h5: sets of feature vectors and their Fréchet distances as NumPy and SciPy compute them.

Needs numpy, scipy and h5py (tools/requirements/peers.txt).
Example: .venv-peers/bin/python tools/golden/make_frechet_golden.py tests/golden/frechet.h5
"""

import argparse

import h5py
import numpy as np
import scipy
import scipy.linalg


def by_sqrtm(x, y):
    """The usual formula (Heusel et al., arXiv 1706.08500), with SciPy's matrix square root."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    difference = x.mean(axis=0) - y.mean(axis=0)
    return float(difference @ difference + np.trace(s1) + np.trace(s2) - 2 * np.trace(np.real(root)))


def by_svd(x, y):
    """The same through the singular values of the centred data, which need no root of a product: exact for singular
    covariances too."""
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    scale = np.sqrt((len(x) - 1.0) * (len(y) - 1.0))
    trace_of_root = np.linalg.svd(a @ b.T / scale, compute_uv=False).sum()
    difference = x.mean(axis=0) - y.mean(axis=0)
    traces = (a * a).sum() / (len(x) - 1) + (b * b).sum() / (len(y) - 1)
    return float(difference @ difference + traces - 2 * trace_of_root)


def correlated(rng, n, width, mean=0.0, spread=1.0):
    mixing = rng.normal(size=(width, width)) / np.sqrt(width)
    return mean + spread * rng.normal(size=(n, width)) @ mixing


def flat(rng, n, width, condition):
    """Axes whose variances fall evenly (in the logarithm) by `condition` in all, turned at random."""
    deviations = np.sqrt(np.logspace(0, -np.log10(condition), width))
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    return rng.normal(size=(n, width)) * deviations @ turn


def cases(rng):
    yield "random_8", correlated(rng, 100, 8), correlated(rng, 60, 8, 0.3)
    yield "random_48", correlated(rng, 160, 48), correlated(rng, 150, 48, 0.1, 1.5)
    yield "large_means", correlated(rng, 120, 16, 1000.0, 0.5), correlated(rng, 120, 16, 1000.5, 0.5)
    yield "condition_1e12", flat(rng, 150, 24, 1e12), flat(rng, 150, 24, 1e12)
    yield "few_samples", correlated(rng, 160, 48), correlated(rng, 20, 48, 0.2)
    yield "few_on_both_sides", correlated(rng, 30, 40), correlated(rng, 25, 40, 0.2)
    constant = correlated(rng, 100, 16), correlated(rng, 100, 16, 0.5)
    for features in constant:
        features[:, 3] = 2.0
        features[:, 5] = features[:, 4]
    yield "constant_and_equal_columns", *constant


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="HDF5 file to write")
    out = parser.parse_args().out
    rng = np.random.default_rng(20240229)
    with h5py.File(out, "w") as file:
        for name, x, y in cases(rng):
            x, y = x.astype(np.float32), y.astype(np.float32)
            scipy_value = by_sqrtm(x.astype(np.float64), y.astype(np.float64))
            svd_value = by_svd(x.astype(np.float64), y.astype(np.float64))
            rank = np.linalg.matrix_rank(y.astype(np.float64) - y.astype(np.float64).mean(axis=0))
            file[f"{name}/reference"] = x
            file[f"{name}/sample"] = y
            file[f"{name}/scipy"] = scipy_value
            file[f"{name}/svd"] = svd_value
            file[f"{name}/rank"] = int(rank)
            print(f"{name}: scipy {scipy_value!r}, singular values {svd_value!r}, rank {rank}, "
                  f"relative difference {abs(scipy_value - svd_value) / svd_value:.1e}")
    print(f"numpy {np.__version__}, scipy {scipy.__version__}")


if __name__ == "__main__":
    main()
