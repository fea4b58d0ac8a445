"""Draw every example of a folder with its truth and planted fields: ``python simulated_data/preview.py [FOLDER]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib
import numpy as np

from stemnet.simulation.examples import load_example
from stemnet.simulation.simulator import Simulation

matplotlib.use("Agg")
import matplotlib.pyplot as plt

PART = 150
"""Rows and columns of the part that is drawn with its true columns [px]."""
COLORS = ("#e69f00", "#56b4e9", "#cc79a7", "#009e73", "#d55e00")
SHOWN = {
    "pbtio3_domains": "tetragonality",
    "srtio3_mistilt": "beam_tilt_y_rad",
    "remos2": "chain_amplitude_A",
    "mvteo_m2": "strain_yx",
    "pbtio3_polar": "composition",
    "wsse_janus": "top_selenium_share",
    "mos2_defects": "edge_distance_A",
    "graphene_low_dose": "strain_yy",
    "srtio3_tilt_strain": "tilt_amplitude_rad",
    "srtio3_tilt_strain_abf": "strain_yy",
    "grain_boundary": "orientation_rad",
    "dislocations": "rotation_rad",
    "si110_dumbbells": "thickness",
    "au_nanoparticle": "thickness",
    "bifeo3_closure": "domain",
}
"""Which of its fields an example, or a family of them, is drawn with."""


def draw(folder: Path, file: Path, across: int = 4) -> None:
    """Draw a contact sheet: each image, a part of it with its true columns, and one planted field with arrows."""
    names = [
        e["name"] for e in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["examples"]
    ]
    rows = -(-len(names) // across)
    figure, axes = plt.subplots(
        rows, 3 * across, figsize=(3 * across * 1.9, rows * 2.1), layout="constrained"
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for name, (whole, part, field) in zip(names, axes.reshape(-1, 3), strict=False):
        example = load_example(name, folder)
        image = example.micrograph.image
        low, high = np.percentile(image, [0.5, 99.8])
        for axis in (whole, part):
            axis.imshow(image, cmap="gray", vmin=low, vmax=high)
        start = (min(image.shape) - PART) / 2 - 0.5
        part.set(xlim=(start, start + PART), ylim=(start + PART, start))
        whole.set_title(name, fontsize=8)
        _columns(part, example)
        _field(field, name, example)
    figure.savefig(file, dpi=64)
    plt.close(figure)


def _columns(axis: plt.Axes, example: Simulation) -> None:
    seen = example.columns
    for sublattice, color in zip(np.unique(example.columns["sublattice"]), COLORS, strict=False):
        y, x = seen.yx[seen["sublattice"] == sublattice].T
        axis.plot(x, y, "o", mec=color, mfc="none", ms=3.5, mew=0.7)


def _field(axis: plt.Axes, name: str, example: Simulation) -> None:
    shown = SHOWN.get(name, SHOWN.get(name.split("_")[0]))
    if shown is None:
        return
    step, height, width = example.field_step, *example.micrograph.shape
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    values = example.fields[shown]
    low, high = np.nanpercentile(values, [1, 99])
    axis.imshow(values, cmap="viridis", extent=extent, vmin=low, vmax=high)
    axis.set_title(f"{shown}\n{low:.3g} to {high:.3g}", fontsize=7)
    if "polar_y_A" in example.fields:
        every = max(1, len(values) // 16)
        y, x = (np.arange(0, n, every * step) for n in (height, width))
        arrows = [example.fields[f"polar_{a}_A"][::every, ::every] for a in "xy"]
        axis.quiver(x, y, *arrows, angles="xy", color="white", scale=5, width=0.007)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    draw(folder, folder / "preview.png")
