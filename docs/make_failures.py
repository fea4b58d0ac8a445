"""Draw where the shipped weights fail on the bundled examples: ``python docs/make_failures.py``.

Green rings are columns that were found, red crosses what is none, blue
squares what was missed; those that nobody could see count neither way.
"""

from __future__ import annotations

from stemnet.runtime import prepare_process

prepare_process()

import argparse  # noqa: E402
from pathlib import Path  # noqa: E402

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

from stemnet import resources, storage  # noqa: E402
from stemnet.detection.matching import match  # noqa: E402
from stemnet.detection.segmenter import find_columns  # noqa: E402
from stemnet.doors.judging import judge  # noqa: E402
from stemnet.models.checkpoint import load  # noqa: E402
from stemnet.reading import read_micrograph  # noqa: E402
from stemnet.training.targets import Targets  # noqa: E402

SHOWN = {
    "sparse_on_carbon": "atoms on carbon",
    "grain_boundary": "faint O beside Ti",
    "srtio3_mistilt": "O pulled by a mistilt",
    "remos2_95": "single S beside Re",
}
SIDE = 150
PICTURE = Path(__file__).resolve().parent / "pictures" / "failures.png"


def main() -> None:
    """One panel an example, where most is wrong."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    folder, weights = resources.simulated_data(), load(resources.weights())
    figure, axes = plt.subplots(1, len(SHOWN), figsize=(9.6, 2.8), layout="constrained")
    for ax, (name, title) in zip(axes, SHOWN.items(), strict=True):
        micrograph = read_micrograph(folder / f"{name}.tif")
        truth = storage.read_columns_csv(folder / f"{name}.truth.csv", shape=micrograph.shape)
        found = find_columns(micrograph, weights)
        f1 = judge(found.columns, truth, found.width).scores["f1"]
        pairs = match(found.columns.yx, truth.yx, found.width).pairs
        false = np.delete(found.columns.yx, pairs[:, 0], axis=0)
        unseen = np.ones(len(truth), dtype=bool)
        unseen[pairs[:, 1]] = False
        missed = truth.yx[unseen & Targets().must_be_found(truth)]
        wrong = np.concatenate([false, missed])
        center = wrong[np.argmax([len(near) for near in cKDTree(wrong).query_ball_point(wrong, SIDE / 2)])]
        top, left = np.clip(center - SIDE / 2, 0, np.array(micrograph.shape) - SIDE)
        ax.imshow(micrograph.image, cmap="gray", vmax=np.percentile(micrograph.image, 99.8))
        style = {"s": 22, "lw": 0.8}
        ax.scatter(*found.columns.yx[pairs[:, 0]].T[::-1], edgecolor="C2", facecolor="none", **style)
        ax.scatter(*false.T[::-1], color="C3", marker="x", **style)
        ax.scatter(*missed.T[::-1], edgecolor="C0", facecolor="none", marker="s", **style)
        ax.set(xlim=(left, left + SIDE), ylim=(top + SIDE, top), xticks=[], yticks=[])
        ax.set_title(f"{title}, F1 {f1:.2f}", fontsize=8)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
