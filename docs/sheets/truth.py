"""What comes with an image: columns, vacancies, displacements, and maps of the planted fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from sheets.distortions import mixed
from sheets.overlays import CYAN, GREEN, MAGENTA, ORANGE, Arrows, Map, framed
from sheets.sheet import DPI, GAP, LABEL, microscope, saved, shown
from stemnet.simulation.artefacts.drift import Wander
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.defects.point import vacancies
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.distortions.polar import ferroelastic_twin
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Step
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import Scene, stage

SIDE = 352


def twinned() -> Scene:
    """PbTiO3 with a 90-degree wall, Sr mixed into one side, and vacant A columns, under a scan that wanders."""
    rng = np.random.default_rng(4)
    lens = microscope(200, 0.17, 3e4, 0.06, Wander(0.6))
    size = SIDE * lens.sampling
    lead = grow(perovskite(3.97, "Pb", "Ti"), (size, size), thickness=60.0, margin=15.0)
    richer = Step(0.0, 0.6, (1.0, 0.0), (size * 0.45, 0.0), 8.0)
    lead = mixed(lead, richer, "Sr", rng).with_field("composition", richer)
    twin = with_strain(ferroelastic_twin(lead, 1.065, (size / 2, size * 0.45), 4.0, {1: 0.17, 2: 0.47}))
    return stage(vacancies(twin, 0.02, rng, sublattice=0), lens, (SIDE, SIDE), rng)


def _species(axes: Axes, scene: Scene) -> None:
    columns = scene.columns()
    kinds = (("A", 0, ORANGE, 9), ("TiO", 1, CYAN, 6), ("O", 2, GREEN, 3))
    for name, sublattice, color, size in kinds:
        yx = columns.yx[columns.fields["sublattice"] == sublattice]
        axes.scatter(yx[:, 1], yx[:, 0], s=size, color=color, linewidths=0, label=name)
    gone = scene.vacancies().yx
    axes.scatter(
        gone[:, 1], gone[:, 0], s=60, facecolors="none", edgecolors=MAGENTA, linewidths=1.3, label="vacant"
    )
    axes.legend(
        loc="upper right", fontsize=7.5, framealpha=1, markerscale=1.2, borderpad=0.3, handletextpad=0.1
    )


def drawn(path: Path) -> None:
    """Six panels of one image."""
    scene = twinned()
    image = render([scene])[0].numpy()
    panels = (
        ("the image", None),
        ("columns by species, and vacancies", _species),
        ("displacement of the B columns off their cages", Arrows("polar", 1, 3.6)),
        ("strain along y", Map("strain_yy", "%", 100)),
        ("domains", Map("domain", cmap="Pastel2", signed=False, arrows=Arrows("polar", 1, 3.2, "black"))),
        ("share of Sr", Map("composition", cmap="viridis", signed=False)),
    )
    width, height = 3 * SIDE + 2 * GAP, 2 * (SIDE + LABEL)
    figure = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    for number, (label, drawing) in enumerate(panels):
        row, column = divmod(number, 3)
        left, top = column * (SIDE + GAP), row * (SIDE + LABEL)
        place = (left / width, 1 - (top + SIDE) / height, SIDE / width, SIDE / height)
        axes = figure.add_axes(place, frameon=False)
        if number < 3:
            shown(axes, image, scene.sampling)
        if drawing is not None:
            drawing(axes, scene)
        framed(axes, scene)
        figure.text(left / width, 1 - (top + SIDE + 14) / height, label, fontsize=8.5, va="baseline")
    saved(figure, path, 120)
