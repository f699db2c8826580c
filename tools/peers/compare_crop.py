#!/usr/bin/env python3
"""Compares the images that `worker prepare` stores with what Pillow makes of the same files.

Pillow decodes, converts to RGB and crops as ADM does: halved by a box filter while the short side is at least twice the
target, bicubic to the target, cut at the centre. PNG files must agree exactly. JPEG files go through two builds of
libjpeg-turbo: within one level of 255.

    make peers && tools/peers/compare_crop.py build/bin/worker
"""

import pathlib
import subprocess
import sys
import tempfile

from environment import use_peers

use_peers()

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

SIZES = [(17, 400), (400, 17), (64, 64), (63, 65), (129, 128), (301, 203), (1, 7), (7, 1), (500, 333), (31, 32), (640, 480)]


def resize(image, size, resample):
    """Along x, then along y, as Pillow does by itself up to version 12; version 13 turns tall images' passes round."""
    return image.resize((size[0], image.height), resample).resize(size, resample)


def adm_crop(image, size):
    while min(image.size) >= 2 * size:
        image = resize(image, (image.width // 2, image.height // 2), Image.BOX)
    scale = size / min(image.size)
    image = resize(image, (round(image.width * scale), round(image.height * scale)), Image.BICUBIC)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return np.asarray(image)[top : top + size, left : left + size]


def picture(random, width, height):
    """Noise over waves: edges and smooth parts."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([127 + 100 * np.sin(x / (5 + c) + y / (9 - c)) for c in range(3)], axis=2)
    return np.clip(waves + random.normal(0, 30, (height, width, 3)), 0, 255).astype(np.uint8)


def write_images(folder, random):
    (folder / "png").mkdir(parents=True)
    (folder / "jpeg").mkdir()
    for i, (width, height) in enumerate(SIZES):
        image = Image.fromarray(picture(random, width, height))
        image.save(folder / "png" / f"{i:02}_rgb.png")
        image.convert("L").save(folder / "png" / f"{i:02}_grey.png")
        image.convert("1").save(folder / "png" / f"{i:02}_one_bit.png")
        image.quantize(31).save(folder / "png" / f"{i:02}_palette.png")
        alpha = Image.fromarray(random.integers(0, 256, (height, width), dtype=np.uint8))
        image.putalpha(alpha)
        image.save(folder / "png" / f"{i:02}_alpha.png")
        image.convert("LA").save(folder / "png" / f"{i:02}_grey_alpha.png")
        image = image.convert("RGB")
        for subsampling in (0, 1, 2):
            image.save(folder / "jpeg" / f"{i:02}_{subsampling}.jpg", quality=90, subsampling=subsampling)
        image.save(folder / "jpeg" / f"{i:02}_progressive.jpg", quality=75, progressive=True)
        image.convert("L").save(folder / "jpeg" / f"{i:02}_grey.jpg")
        image.convert("CMYK").save(folder / "jpeg" / f"{i:02}_cmyk.jpg")


def compare(worker, folder, size):
    store = folder.parent / f"store_{size}.h5"
    subprocess.run([worker, "prepare", folder, "--out", store, "--image-size", str(size), "--processes", "1"], check=True,
                   stdout=subprocess.DEVNULL)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    worst = {"png": 0, "jpeg": 0}
    with h5py.File(store) as file:
        images, labels = file["images"][:], file["labels"][:]
    assert len(images) == len(names), f"{len(images)} images were stored of {len(names)}"
    for name, stored, label in zip(names, images, labels):
        kind = name.split("/")[0]
        assert label == ["jpeg", "png"].index(kind), f"{name} has label {label}"
        expected = adm_crop(Image.open(folder / name).convert("RGB"), size)
        difference = int(np.abs(stored.transpose(1, 2, 0).astype(int) - expected).max())
        worst[kind] = max(worst[kind], difference)
        assert difference <= (1 if kind == "jpeg" else 0), f"{name} at {size}: {difference} levels from Pillow"
    print(f"{size} pixels: {len(names)} images, largest difference {worst['png']} (PNG), {worst['jpeg']} (JPEG) of 255")


def main():
    worker = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "images"
        write_images(folder, np.random.default_rng(0))
        for size in (16, 64, 100, 256):
            compare(worker, folder, size)


if __name__ == "__main__":
    main()
