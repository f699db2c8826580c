#!/usr/bin/env python3
"""Holds the worker's weights in and out, and its model, against PyTorch and diffusers, on random weights in float32.

- `worker forward` on imported weights gives diffusers' DiTTransformer2DModel's output: relative error (L2, and largest
  against largest) below 1e-5. diffusers' timestep frequencies are those of a different formula (exponents i / 127 where the
  released model has i / 128); the script sets that one option to the released model's, and prints what it makes.
- .pt files as people write them (state dicts, nested, training checkpoints with optimiser and arguments, views into one
  buffer) and safetensors import to the same bits; exports load in both libraries and give the same.
- Files that call something, are cut short, or are of old kinds are refused with a reason, and nothing of them runs.

--all-sizes imports, exports and imports again all twelve published sizes, whole, instead (12 GB of temporary files at
most, minutes).

    make peers && tools/peers/compare_weights.py --worker build/bin/worker
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

from environment import use_peers

use_peers()

import diffusers  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402
import safetensors.torch  # noqa: E402
import torch  # noqa: E402

LIMIT = 1e-5
SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "L": (24, 1024, 16), "XL": (28, 1152, 16)}


def make_dit(layers, width, heads, patch, size):
    """Random weights, with the embedders that blocks repeat really repeated, as in published files."""
    torch.manual_seed(0)
    model = diffusers.DiTTransformer2DModel(
        num_layers=layers, num_attention_heads=heads, attention_head_dim=width // heads, patch_size=patch, sample_size=size,
        in_channels=4, out_channels=8, norm_eps=1e-6)
    with torch.no_grad():
        for name, values in model.named_parameters():
            values += 0.02 * torch.randn_like(values)
        for block in model.transformer_blocks:
            block.norm1.emb.load_state_dict(model.transformer_blocks[0].norm1.emb.state_dict())
    return model.eval().requires_grad_(False)


def set_frequencies(model, shift):
    for block in model.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = shift


def reference_names(model):
    """The same weights as the released checkpoints name them."""
    theirs = model.state_dict()
    linear = {"t_embedder.mlp.0": "transformer_blocks.0.norm1.emb.timestep_embedder.linear_1",
              "t_embedder.mlp.2": "transformer_blocks.0.norm1.emb.timestep_embedder.linear_2",
              "x_embedder.proj": "pos_embed.proj",
              "final_layer.linear": "proj_out_2", "final_layer.adaLN_modulation.1": "proj_out_1"}
    ours = collections.OrderedDict(pos_embed=model.pos_embed.pos_embed.clone())
    table = "class_embedder.embedding_table.weight"
    ours["y_embedder.embedding_table.weight"] = theirs[f"transformer_blocks.0.norm1.emb.{table}"]
    for i in range(len(model.transformer_blocks)):
        block = f"transformer_blocks.{i}"
        linear |= {f"blocks.{i}.attn.proj": f"{block}.attn1.to_out.0", f"blocks.{i}.mlp.fc1": f"{block}.ff.net.0.proj",
                   f"blocks.{i}.mlp.fc2": f"{block}.ff.net.2", f"blocks.{i}.adaLN_modulation.1": f"{block}.norm1.linear"}
        for part in ("weight", "bias"):
            ours[f"blocks.{i}.attn.qkv.{part}"] = torch.cat([theirs[f"{block}.attn1.to_{c}.{part}"] for c in "qkv"])
    for name, other in linear.items():
        for part in ("weight", "bias"):
            ours[f"{name}.{part}"] = theirs[f"{other}.{part}"]
    return ours


def relative_errors(found, expected):
    found, expected = np.float64(found), np.float64(expected)
    return (np.linalg.norm(found - expected) / np.linalg.norm(expected),
            np.abs(found - expected).max() / np.abs(expected).max())


class Calls:
    """An object whose pickle asks for a call when it is read."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class Comparison:
    def __init__(self, worker, folder):
        self.worker = worker
        self.folder = pathlib.Path(folder)
        self.failures = 0

    def check(self, fine, text):
        print(f"{'ok  ' if fine else 'FAIL'} {text}", flush=True)
        self.failures += not fine

    def run(self, *arguments, check=True):
        result = subprocess.run([self.worker, *map(str, arguments)], capture_output=True, text=True)
        if check and result.returncode != 0:
            raise SystemExit(f"worker {' '.join(map(str, arguments))}: {result.stderr}")
        return result

    def imported(self, file, *options):
        """The flat float32 buffer that the worker makes of a file, as bytes."""
        self.run("import", file, "--out", self.folder / "imported.h5", *options)
        with h5py.File(self.folder / "imported.h5") as weights:
            return weights["ema"][:].tobytes()

    def refused(self, file, reason, text):
        out = self.folder / "refused.h5"
        result = self.run("import", file, "--out", out, "--heads", 4, "--image-size", 256, check=False)
        self.check(result.returncode == 1 and reason in result.stderr and not out.exists(),
                   f"refused, {text}: {result.stderr.strip()[-150:]}")

    def forward(self, model_file, inputs):
        self.run("forward", model_file, inputs, self.folder / "out.npz", "--device", "cpu", "--threads", 2)
        return np.load(self.folder / "out.npz")["output"]

    def model_parity(self, name, model):
        """The worker's output on this model's weights is the model's; returns the imported file."""
        saved, imported = self.folder / f"{name}-diffusers", self.folder / f"{name}.h5"
        model.save_pretrained(saved)
        self.run("import", saved, "--out", imported)
        size = model.config.sample_size
        x, t, y = torch.randn(3, 4, size, size), torch.tensor([0, 500, 999]), torch.tensor([0, 207, 1000])
        inputs = self.folder / "in.npz"
        np.savez_compressed(inputs, x=x.numpy(), t=t.numpy(), y=y.numpy())
        output = self.forward(imported, inputs)
        set_frequencies(model, 1)
        unchanged = relative_errors(output, model(x, t, y).sample.numpy())
        set_frequencies(model, 0)
        errors = relative_errors(output, model(x, t, y).sample.numpy())
        self.check(max(errors) < LIMIT, f"{name}: worker forward against diffusers: relative error {errors[0]:.1e} (L2), "
                   f"{errors[1]:.1e} (largest); {unchanged[0]:.1e} with diffusers' own timestep frequencies")
        exported = self.folder / f"{name}-exported"
        self.run("export", imported, "--layout", "diffusers", "--out", exported)
        again = diffusers.DiTTransformer2DModel.from_pretrained(exported).eval()
        same = all(torch.equal(a, again.state_dict()[key]) for key, a in model.state_dict().items())
        set_frequencies(again, 0)
        with torch.no_grad():
            difference = (again(x, t, y).sample - model(x, t, y).sample).abs().max().item()
        self.check(same and difference == 0, f"{name}: worker export loads in diffusers, the same weights and output")
        return imported

    def files_of_python(self, model, imported):
        ours = reference_names(model)
        with h5py.File(imported) as weights:
            expected = weights["ema"][:].tobytes()
        other = collections.OrderedDict((name, values + 1) for name, values in ours.items())
        parameters = {name: torch.nn.Parameter(values.clone()) for name, values in ours.items() if name != "pos_embed"}
        optimiser = torch.optim.AdamW(parameters.values())
        for values in parameters.values():
            values.grad = torch.ones_like(values)
        optimiser.step()  # moments and step counts, as a real checkpoint has them
        parameters = {name: torch.nn.Parameter(ours[name]) for name in parameters}
        arguments = argparse.Namespace(model="DiT-S/2", lr=1e-4, epochs=80, data=pathlib.Path("imagenet"), seed=None)
        flat = torch.cat([values.flatten() for values in ours.values()])
        views, at = {}, 0
        for name, values in ours.items():
            views[name] = flat[at:at + values.numel()].view(values.shape)
            at += values.numel()
        transposed = {name: v.t().contiguous().t() if v.dim() == 2 else v for name, v in ours.items()}
        heads = ("--heads", model.config.num_attention_heads)
        size = ("--image-size", 8 * model.config.sample_size)
        contents = {"a state dict": (ours, heads),
                    "a nested one": ({"state_dict": ours, "epoch": 3}, heads),
                    "a training checkpoint": ({"model": other, "ema": ours, "opt": optimiser.state_dict(),
                                               "args": arguments}, heads),
                    "another key": ({"trainer": {"weights": ours}}, (*heads, "--key", "trainer/weights")),
                    "parameters without positions": (parameters, (*heads, *size)),
                    "a wrapper's names": ({f"module.{name}": values for name, values in ours.items()}, heads),
                    "views into one buffer": (views, heads),
                    "transposed memory": (transposed, heads)}
        for text, (content, options) in contents.items():
            for protocol in (2, 5):
                torch.save(content, self.folder / "x.pt", pickle_protocol=protocol)
                self.check(self.imported(self.folder / "x.pt", *options) == expected,
                           f"torch.save, protocol {protocol}, {text}: the same bits")
        safetensors.torch.save_file(ours, self.folder / "x.safetensors")
        self.check(self.imported(self.folder / "x.safetensors", *heads) == expected, "safetensors: the same bits")
        torch.save(ours, self.folder / "old.pt", _use_new_zipfile_serialization=False)
        self.check(self.imported(self.folder / "old.pt", *heads) == expected, "torch.save before 1.6: the same bits")
        torch.save({name: values.half() for name, values in ours.items()}, self.folder / "half.pt")
        half = self.imported(self.folder / "half.pt", *heads)
        safetensors.torch.save_file({n: v.half().float() for n, v in ours.items() if n != "pos_embed"},
                                    self.folder / "wide.safetensors")
        self.check(half == self.imported(self.folder / "wide.safetensors", *heads, *size), "float16 is widened exactly")
        self.run("export", imported, "--out", self.folder / "reference.safetensors")
        loaded = safetensors.torch.load_file(self.folder / "reference.safetensors")
        equal = loaded.keys() == ours.keys() and all(torch.equal(loaded[n], v) for n, v in ours.items() if n != "pos_embed")
        positions = (loaded["pos_embed"] - ours["pos_embed"]).abs().max().item()
        self.check(equal and positions < 1e-6, f"worker export, reference layout: the same tensors; pos_embed within "
                   f"{positions:.1e} of diffusers'")

    def hostile_files(self, model):
        ours = reference_names(model)
        witness = self.folder / "executed"
        file = self.folder / "hostile.pt"
        import os
        attacks = {"os.system": Calls(os.system, f"touch {witness}"), "eval": Calls(eval, f"open({str(witness)!r}, 'w')"),
                   "exec": Calls(exec, f"open({str(witness)!r}, 'w')"), "subprocess": Calls(subprocess.Popen, ["touch", witness])}
        for text, attack in attacks.items():
            torch.save({"model": ours, "extra": attack}, file)
            self.refused(file, "nothing of it was executed", f"a pickle that calls {text}")
            torch.save({**ours, "extra": attack}, file, _use_new_zipfile_serialization=False)
            self.refused(file, "nothing of it was executed", "the same in the format before PyTorch 1.6")
        self.check(not witness.exists(), "nothing was executed")
        torch.save(ours, file)
        good = file.read_bytes()
        for share in (0.0, 0.1, 0.5, 0.99, 0.9999):
            file.write_bytes(good[:int(share * len(good))])
            self.refused(file, "hostile.pt", f"a .pt of which {share:.2%} is left")
        middle = bytearray(good)
        table = ours["y_embedder.embedding_table.weight"].numpy().tobytes()
        middle[good.index(table[:256]) + len(table) // 2] ^= 1
        file.write_bytes(middle)
        self.refused(file, "checksum", "one bit changed")
        cut = (self.folder / "x.safetensors").read_bytes()[:-4]
        (self.folder / "cut.safetensors").write_bytes(cut)
        self.refused(self.folder / "cut.safetensors", "cut short", "a safetensors file cut short")
        torch.save({**ours, "pos_embed": ours["pos_embed"].flip(2)}, file)
        self.refused(file, "pos_embed differs", "other positions")


def all_sizes(comparison):
    for letter, (layers, width, heads) in SIZES.items():
        for patch in (8, 4, 2):
            name = f"DiT-{letter}-{patch}"
            model = make_dit(layers, width, heads, patch, 32)
            file, folder = comparison.folder / "one.pt", comparison.folder
            torch.save(reference_names(model), file)
            del model
            first = comparison.imported(file)
            same = []
            for layout in ("reference", "diffusers"):
                out = folder / "exported.safetensors"
                comparison.run("export", folder / "imported.h5", "--layout", layout, "--out", out)
                same.append(comparison.imported(out) == first)
                out.unlink()
            comparison.check(all(same), f"{name}: import, export, import in both layouts: {len(first) // 4} values, the "
                             "same bits")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default="build/bin/worker")
    parser.add_argument("--all-sizes", action="store_true", help="round trips of the twelve published sizes instead")
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(args.worker, folder)
        if args.all_sizes:
            all_sizes(comparison)
        else:
            small = make_dit(2, 64, 4, 4, 32)
            imported = comparison.model_parity("small", small)
            comparison.files_of_python(small, imported)
            comparison.hostile_files(small)
            comparison.model_parity("S-2", make_dit(*SIZES["S"], 2, 32))
    print(f"{comparison.failures} failures")
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
