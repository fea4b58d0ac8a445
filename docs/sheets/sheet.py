"""A sheet of micrographs, pixel for pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from sheets.overlays import framed
from stemnet.simulation.artefacts.drift import Drift
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import ReadNoise
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Artefact, Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.specimen import Specimen

Drawing = Callable[[Axes, Scene], None]
SIDE = 256
LABEL, GAP, DPI = 20, 4, 100
GREYS = 12
"""Noise in more of them makes a file large."""
ORDINARY: tuple[Artefact, ...] = (LineJitter(0.03, 0.4), Drift(0.3, -0.2), ReadNoise(0.5))


@dataclass(frozen=True)
class Tile:
    """One micrograph of a sheet.

    Parameters
    ----------
    label : str
    specimen : Specimen
    microscope : Microscope
    over : Drawing, optional
        Drawn over the image.
    beside : Drawing, optional
        Drawn in a tile of its own to the right.
    seed : int
    """

    label: str
    specimen: Specimen
    microscope: Microscope
    over: Drawing | None = None
    beside: Drawing | None = None
    seed: int = 1


def microscope(
    voltage: float = 200.0,
    sampling: float = 0.15,
    dose: float = 1e4,
    background: float = 0.06,
    *more: Artefact,
    semi_angle: float = 25.0,
) -> Microscope:
    """A corrected instrument on an ordinary day: residual drift, jitter and read noise."""
    probe = Probe(voltage, semi_angle, defocus=15, astigmatism=8, source_size=0.8, defocus_spread=30)
    return Microscope(
        probe,
        sampling,
        dose,
        exponent=1.8,
        background=background,
        gradient=0.05,
        artefacts=(*ORDINARY, *more),
    )


def side(lens: Microscope) -> tuple[float, float]:
    """The field of view of a tile [A]."""
    return (SIDE * lens.sampling,) * 2


def middle(lens: Microscope) -> tuple[float, float]:
    """The center of a tile [A]."""
    return (SIDE * lens.sampling / 2,) * 2


def grown(of: Crystal, lens: Microscope, margin: float = 15.0) -> Specimen:
    """A crystal over a tile, 6 nm thick if it is no sheet."""
    return grow(of, side(lens), thickness=None if of.period is None else 60.0, margin=margin)


def drawn(path: Path, tiles: Sequence[Tile], across: int, colors: int = 120) -> None:
    """Write a sheet: tiles in rows, image and what stands beside it next to each other.

    Parameters
    ----------
    path : Path
    tiles : sequence of Tile
    across : int
        Tiles in a row.
    colors : int
        Of what is not grey.
    """
    wide = 2 if any(tile.beside for tile in tiles) else 1
    step = (wide * SIDE + 2 * GAP, SIDE + LABEL)
    rows = -(-len(tiles) // across)
    size = (across * step[0] - 2 * GAP, rows * step[1])
    figure = plt.figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)

    def axes_at(left: int, top: int, width: int = SIDE) -> Axes:
        place = (left / size[0], 1 - (top + SIDE) / size[1], width / size[0], SIDE / size[1])
        return figure.add_axes(place, frameon=False)

    for number, tile in enumerate(tiles):
        row, column = divmod(number, across)
        left, top = column * step[0], row * step[1]
        scene = stage(tile.specimen, tile.microscope, (SIDE, SIDE), np.random.default_rng(tile.seed))
        axes = axes_at(left, top)
        shown(axes, render([scene])[0].numpy(), scene.sampling)
        if tile.over is not None:
            tile.over(axes, scene)
        framed(axes, scene)
        if tile.beside is not None:
            axes = axes_at(left + SIDE + 1, top)
            tile.beside(axes, scene)
            framed(axes, scene)
        figure.text(
            left / size[0],
            1 - (top + SIDE + 14) / size[1],
            tile.label,
            fontsize=8.5,
            ha="left",
            va="baseline",
        )
    saved(figure, path, colors)


def shown(axes: Axes, image: np.ndarray, sampling: float) -> None:
    """An image in grey with a scale bar of 1 nm."""
    low, high = np.quantile(image, [0.005, 0.998])
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    height = len(image)
    axes.plot([9, 9 + 10 / sampling], [height - 10] * 2, color="black", lw=4, solid_capstyle="butt")
    axes.plot([10, 8 + 10 / sampling], [height - 10] * 2, color="white", lw=2.4, solid_capstyle="butt")


def saved(figure: plt.Figure, path: Path, colors: int) -> None:
    """Write a figure with few colors, so that a repository can hold it."""
    figure.canvas.draw()
    pixels = np.array(figure.canvas.buffer_rgba())[..., :3]
    plt.close(figure)
    greys = np.linspace(0, 255, GREYS).round().astype(np.uint8)
    palette = np.repeat(greys[:, None], 3, axis=1)
    colored = pixels[np.ptp(pixels.astype(int), axis=2) > 40]
    if len(colored):
        few = Image.fromarray(colored[None]).quantize(colors, method=Image.Quantize.FASTOCTREE)
        palette = np.concatenate([palette, np.array(few.getpalette()).reshape(-1, 3)])
    chosen = Image.new("P", (1, 1))
    chosen.putpalette(palette.astype(np.uint8).ravel().tolist())
    picture = Image.fromarray(pixels).quantize(palette=chosen, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
