"""What is drawn over a micrograph, or beside it: marks, arrows and maps of the planted truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from scipy.ndimage import binary_dilation, center_of_mass, label

from stemnet.simulation.scene import Scene

CYAN, ORANGE, GREEN, MAGENTA, YELLOW = "#35c9e8", "#ff9d2e", "#6fdc6f", "#ff5fc4", "#ffe14d"


def framed(axes: Axes, scene: Scene) -> None:
    """Show what an image of the scene would show, (0, 0) at the upper left."""
    height, width = scene.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])


@dataclass(frozen=True)
class Rings:
    """Rings around columns of which a planted label is not empty, and crosses where columns are vacant.

    Parameters
    ----------
    name : str
        A planted label, "" where there is none.
    color : str
    radius : float
        [A]
    """

    name: str = "defect"
    color: str = ORANGE
    radius: float = 0.8

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw them."""
        columns = scene.columns()
        marks = columns.fields.get(self.name)
        chosen = np.zeros(len(columns), bool) if marks is None else marks != ""
        size = (2 * self.radius / scene.sampling * 0.72) ** 2
        for yx, color in ((columns.yx[chosen], self.color), (scene.vacancies().yx, CYAN)):
            axes.scatter(yx[:, 1], yx[:, 0], s=size, facecolors="none", edgecolors=color, linewidths=0.8)


@dataclass(frozen=True)
class Dots:
    """A dot on every column, colored by species (the brightest first) or by a planted label.

    Parameters
    ----------
    name : str
    least : float
        Columns below this signal-to-noise are left out.
    """

    name: str = "species"
    least: float = 5.0

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw them."""
        columns = scene.columns()
        columns = columns.select(columns.fields["signal_to_noise"] > self.least)
        names = columns.fields[self.name]
        kinds = np.unique(names)
        if self.name == "species":
            light = [np.median(columns.fields["intensity"][names == kind]) for kind in kinds]
            kinds = kinds[np.argsort(light)[::-1]]
        for kind, color in zip(kinds, (ORANGE, CYAN, GREEN, MAGENTA, YELLOW) * 9, strict=False):
            yx = columns.yx[names == kind]
            axes.scatter(yx[:, 1], yx[:, 0], s=3.5, color=color, linewidths=0)


@dataclass(frozen=True)
class Arrows:
    """An arrow at every column along a planted vector, `<name>_y_A` and `<name>_x_A`.

    Parameters
    ----------
    name : str
        ``displacement`` for the whole displacement.
    sublattice : int, optional
        Only of these columns.
    length : float
        Of the longest arrow [A].
    color : str, optional
        By direction if it is not given.
    centered : bool
        Take the mean off.
    """

    name: str
    sublattice: int | None = None
    length: float = 3.0
    color: str | None = None
    centered: bool = False

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw them."""
        columns = scene.columns()
        if self.sublattice is not None:
            columns = columns.select(columns.fields["sublattice"] == self.sublattice)
        names = [f"{self.name}_{axis}" + ("" if self.name == "displacement" else "_A") for axis in "yx"]
        vectors = np.stack([columns.fields[name] for name in names], 1)
        if self.centered:
            vectors = vectors - vectors.mean(0)
        vectors = vectors / np.hypot(*vectors.T).max() * self.length / scene.sampling
        angle = np.arctan2(*vectors.T)
        axes.quiver(
            columns.yx[:, 1],
            columns.yx[:, 0],
            vectors[:, 1],
            vectors[:, 0],
            *(() if self.color else (angle,)),
            color=self.color,
            cmap="hsv",
            clim=(-np.pi, np.pi),
            angles="xy",
            scale_units="xy",
            scale=1,
            pivot="middle",
            width=0.007,
            headwidth=4,
            headlength=4,
            headaxislength=3.6,
        )


@dataclass(frozen=True)
class Map:
    """A planted field as the image shows it.

    Parameters
    ----------
    name : str
    unit : str
        Written with its range.
    factor : float
        Multiplies the values.
    cmap : str
    signed : bool
        Put the middle of the colors at 0.
    arrows : Arrows, optional
        Drawn on top.
    """

    name: str
    unit: str = ""
    factor: float = 1.0
    cmap: str = "RdBu_r"
    signed: bool = True
    arrows: Arrows | None = None

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw it, and write its range into the corner."""
        values = scene.field_maps()[self.name] * self.factor
        low, high = np.nanquantile(values, [0.003, 0.997])
        low, high = (0.0 if abs(end) < 1e-3 * (high - low) else end for end in (low, high))
        written = f"{self.name.removesuffix('_A')} {low:.3g} to {high:.3g} {self.unit}".strip()
        if self.signed:
            low, high = -max(-low, high, 1e-9), max(-low, high, 1e-9)
        axes.imshow(values, cmap=self.cmap, vmin=low, vmax=high, interpolation="nearest")
        if self.arrows is not None:
            self.arrows(axes, scene)
        axes.text(5, 12, written, fontsize=7.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})


@dataclass(frozen=True)
class Plain:
    """Arrows on white."""

    arrows: Arrows

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw them."""
        self.arrows(axes, scene)


@dataclass(frozen=True)
class Cores:
    """Rings around the cores of dislocations: where the planted distance from them is below 1 A.

    The distance is that of the matter before it was deformed, so that a line
    of equal distance is no circle.
    """

    color: str = ORANGE

    def __call__(self, axes: Axes, scene: Scene) -> None:
        """Draw them."""
        near = scene.field_maps()["core_distance_A"] < 1.0
        # At a core the matter's former place is found to a few angstrom only: one core may come in pieces.
        grown, count = label(binary_dilation(near, iterations=round(2.0 / scene.sampling)))
        if count:
            y, x = np.array(center_of_mass(near, grown, range(1, count + 1))).T
            axes.scatter(x, y, s=330, facecolors="none", edgecolors=self.color, linewidths=1.0)
