#!/usr/bin/env python3
"""Holds the worker's Inception against torch-fidelity's and pytorch-fid's on random weights, in float32.

Weights are written in the layout of pt_inception-2015-12-05 (nothing is downloaded). On images of several sizes pooled
features, spatial features and logits must agree within 1e-4 of their norm. Spatial features are compared in the order
(H, W, C), and the order (C, H, W) must not pass. A scripted network gives the same features through `torchscript`.

    make peers && tools/peers/compare_inception.py --worker build/bin/worker
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest.mock

import environment

LIMIT = 1e-4
SIDES = (32, 64, 299, 350)


def random_state():
    """He-scaled convolutions and normalisations off their starting values, so that activations keep their size."""
    torch.manual_seed(0)
    with unittest.mock.patch.object(pytorch_fid.inception, "load_state_dict_from_url", return_value={}), \
            unittest.mock.patch.object(torch.nn.Module, "load_state_dict"):
        model = pytorch_fid.inception.fid_inception_v3().eval()
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.1)
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.8, 1.2)
    return {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}


def fidelity_network(file):
    return torch_fidelity.feature_extractor_inceptionv3.FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(file))


def fid_network(state):
    with unittest.mock.patch.object(pytorch_fid.inception, "load_state_dict_from_url", return_value=state):
        return pytorch_fid.inception.InceptionV3(resize_input=False, normalize_input=False).eval()


def expected_of(network, images):
    """Pooled, spatial as a map, logits."""
    spatial = []
    hook = network.Mixed_6d.branch1x1.register_forward_hook(lambda _, __, out: spatial.append(out[:, :7].clone()))
    pooled, logits = network(images)
    hook.remove()
    return pooled, spatial[0], logits


def run_worker(args, folder, images, network, weights, parts=True):
    numpy.savez(folder / "in.npz", arr_0=images.permute(0, 2, 3, 1).contiguous().numpy())
    command = [args.worker, "features", folder / "in.npz", folder / "out.npz", "--features", network, "--features-file", weights,
               "--device", "cpu", "--threads", args.threads, "--json"] + (["--parts", "spatial,logits"] if parts else [])
    report = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(numpy.load(folder / "out.npz")), json.loads(report)


def error_of(actual, expected):
    expected = expected.double()
    return ((torch.from_numpy(actual).double() - expected).norm() / expected.norm()).item()


def compare_side(args, folder, weights, fidelity, fid, side):
    images = torch.randint(0, 256, (2, 3, side, side + side // 8), dtype=torch.uint8)
    actual, _ = run_worker(args, folder, images, "inception", weights)
    pooled, spatial, logits = expected_of(fidelity, images)
    resized = torch_fidelity.interpolate_compat_tensorflow.interpolate_bilinear_2d_like_tensorflow1x(
        images.float(), size=(299, 299), align_corners=False)
    errors = {"pooled": error_of(actual["pooled"], pooled),
              "pooled (pytorch-fid)": error_of(actual["pooled"], fid((resized - 128) / 128)[0].flatten(1)),
              "spatial": error_of(actual["spatial"], spatial.permute(0, 2, 3, 1).flatten(1)),
              "logits": error_of(actual["logits"], logits)}
    wrong = error_of(actual["spatial"], spatial.flatten(1))
    print(f"{side} pixels: relative error " + ", ".join(f"{name} {error:.1e}" for name, error in errors.items()) +
          f"; spatial in the order (C, H, W) {wrong:.2f}", flush=True)
    return all(error < LIMIT for error in errors.values()) and wrong > 0.1


def compare_script(args, folder):
    class Small(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 24, 5, stride=2)
            self.head = torch.nn.Linear(24, 3)

        def forward(self, x, return_features: bool = False):
            features = torch.relu(self.conv(x.float() / 255)).mean([2, 3])
            return features if return_features else self.head(features)

    network = Small().eval()
    torch.jit.script(network).save(str(folder / "small.pt"))
    images = torch.randint(0, 256, (5, 3, 40, 30), dtype=torch.uint8)
    actual, report = run_worker(args, folder, images, "torchscript", folder / "small.pt", parts=False)
    error = error_of(actual["pooled"], network(images, return_features=True))
    print(f"TorchScript: width {report['width']}, relative error {error:.1e}", flush=True)
    return report["width"] == 24 and error < LIMIT


def time_both(args, folder, weights, fidelity):
    """For information: images a second, in turn."""
    torch.set_num_threads(args.threads)
    images = torch.randint(0, 256, (8, 3, 256, 256), dtype=torch.uint8)
    for _ in range(2):
        start = time.perf_counter()
        fidelity(images)
        peer = time.perf_counter() - start
        ours = run_worker(args, folder, images, "inception", weights)[1]["seconds"]
        print(f"torch-fidelity {8 / peer:.2f} images/s, worker {8 / ours:.2f} images/s, ratio {peer / ours:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write-weights", metavar="FILE", help="write such random weights, and compare nothing")
    args = parser.parse_args()
    if args.write_weights:
        torch.save(random_state(), args.write_weights)
        return
    with tempfile.TemporaryDirectory(prefix="ditscale-inception-") as name, torch.no_grad():
        folder = pathlib.Path(name)
        state = random_state()
        weights = folder / "pt_inception.pth"
        torch.save(state, weights)
        fidelity, fid = fidelity_network(weights), fid_network(state)
        good = [compare_side(args, folder, weights, fidelity, fid, side) for side in SIDES]
        older = folder / "older.pth"
        torch.save(state, older, _use_new_zipfile_serialization=False)
        good.append(compare_side(args, folder, older, fidelity, fid, 48))
        good.append(compare_script(args, folder))
        time_both(args, folder, weights, fidelity)
        if not all(good):
            sys.exit(f"compare_inception: a relative error is {LIMIT:.0e} or more, or the wrong order passed")


if __name__ == "__main__":
    environment.use_peers()
    import numpy
    import pytorch_fid.inception
    import torch
    import torch_fidelity.feature_extractor_inceptionv3
    import torch_fidelity.interpolate_compat_tensorflow

    main()
