"""Tiles of an image and patches around its columns, sorted into kinds: maps, mean spectra, silhouettes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.lattice import column_spacing
from stemnet.descriptors.windows import ORDERS, Windows
from stemnet.errors import StemnetError
from stemnet.studies.described import each, kinds_in_words, with_sublattices
from stemnet.studies.findings import Findings, Number, Picture, Table
from stemnet.studies.measured import Measured
from stemnet.studies.sliding_fft_truth import against_planted
from stemnet.studies.sliding_fft_windows import first_image, spacing_of
from stemnet.studies.tiles_patches import WIDEST, Patches, about_patches, patches_of, patches_picture
from stemnet.studies.tiles_regions import Regions, by_columns, by_spectra, by_statistics, tile_size

DESCRIPTIONS = ("spectra", "statistics", "columns", "patches")


class How(TypedDict):
    """Which clusters are looked for."""

    method: str
    clusters: int | None
    seed: int


@dataclass(frozen=True)
class Asked:
    """What a study of tiles is asked for; see `study`."""

    size: int | None
    cells: float
    patch: int | None
    descriptions: tuple[str, ...]
    clustering: str
    clusters: int | None
    seed: int

    @property
    def how(self) -> How:
        """What every clustering is told."""
        return How(method=self.clustering, clusters=self.clusters, seed=self.seed)


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    size: int | None = None,
    cells: float = 3,
    patch: int | None = None,
    descriptions: Sequence[str] = DESCRIPTIONS,
    clustering: str = "kmeans",
    clusters: int | None = None,
) -> Findings:
    """Sort the tiles of images, and the patches around their columns, into kinds.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of clusters and noise floors.
    size : int, optional
        Side of a tile [px]; by default `cells` periods of the lattice.
    cells : float
    patch : int, optional
        Side of a patch [px]; by default two spacings of columns.
    descriptions : sequence of str
        Of "spectra" (of a tile's pixels), "statistics" (their moments),
        "columns" (means of the columns in a tile) and "patches" (the pixels
        around a column).
    clustering : "kmeans" or "gmm"
    clusters : int, optional
        By default the number of best silhouette, 2 to 6.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If a setting has no meaning, or no input can be studied.
    """
    unknown = [name for name in descriptions if name not in DESCRIPTIONS]
    if unknown or not len(descriptions):
        raise StemnetError(
            f"descriptions={list(descriptions)} is unknown; use some of {', '.join(DESCRIPTIONS)}."
        )
    if clustering not in ("kmeans", "gmm"):
        raise StemnetError(f"clustering={clustering!r} is unknown; use kmeans or gmm.")
    asked = Asked(size, cells, patch, tuple(descriptions), clustering, clusters, seed)
    return each(inputs, partial(_one, asked=asked))


def _one(measured: Measured, *, asked: Asked) -> Findings:
    notes: list[str] = []
    image = first_image(measured, notes)
    spacing = spacing_of(measured, image, notes)
    first = np.broadcast_to(
        np.asarray(measured.columns["frame"]) == 0 if "frame" in measured.columns else True,
        (len(measured.columns),),
    )
    columns, _ = with_sublattices(measured.columns.select(first))
    size = tile_size(image.shape, spacing, notes, size=asked.size, cells=asked.cells)
    highest = max(1 / size, min(0.5, ORDERS / spacing) if spacing else 0.25)
    ways: dict[str, Callable[[], Regions]] = {
        "spectra": lambda: by_spectra(image, size, highest, **asked.how),
        "statistics": lambda: by_statistics(image, size, **asked.how),
        "columns": lambda: by_columns(columns, size, **asked.how),
    }
    regions = [_or_note(notes, f"Tiles by {kind}", ways[kind]) for kind in asked.descriptions if kind in ways]
    regions = [found for found in regions if found is not None]
    patches = _patches(columns, image, asked, notes) if "patches" in asked.descriptions else []
    if not regions and not patches:
        raise StemnetError(f"Nothing could be sorted into kinds. {' '.join(notes)}")
    numbers = [
        Number(measured.name, "side of a tile", float(size), "px"),
        *(number for found in regions for number in _about_tiles(measured, found)),
        *(number for found in patches for number in about_patches(measured, found, first)),
    ]
    return Findings(
        _sentence(measured, regions, patches, size),
        tuple(numbers),
        tuple(_tables(measured, regions, patches, columns)),
        tuple(_pictures(measured, image, regions, patches, size, highest)),
        tuple(notes),
    )


def _or_note(notes: list[str], what: str, work: Callable):
    try:
        return work()
    except StemnetError as error:
        notes.append(f"{what}: {error}")
        return None


def _patches(columns: Columns, image: np.ndarray, asked: Asked, notes: list[str]) -> list[Patches]:
    """Patches around all columns, and around those of the brightest sublattice alone."""
    label = np.asarray(columns["sublattice"])
    sets = {"all columns": np.arange(len(columns))}
    if len(columns) < 2:
        notes.append(f"Patches: {len(columns)} columns were found; there is nothing to tell apart.")
        return []
    # one size for both, so that the column itself and its nearest neighbors decide
    size = asked.patch or min(WIDEST, max(3, 2 * round(column_spacing(columns.yx)) + 1))
    if (label == 0).any() and (label > 0).any():
        sets["sublattice 0"] = np.flatnonzero(label == 0)
    found = [
        _or_note(
            notes,
            "Patches",
            partial(patches_of, columns, rows, image, whose, size=size, **asked.how),
        )
        for whose, rows in sets.items()
    ]
    return [one for one in found if one is not None]


def _about_tiles(measured: Measured, found: Regions) -> list[Number]:
    name, what = measured.name, f"tiles by {found.kind}"
    labels = found.clusters.labels.reshape(found.grid)
    above = [] if found.signal < 0 else [
        Number(name, f"{what}: components above the noise floor", float(found.signal))
    ]  # fmt: skip
    return [
        Number(name, f"{what}: tiles", float((labels >= 0).sum())),
        *above,
        Number(name, f"{what}: clusters", float(found.clusters.n_clusters)),
        Number(name, f"{what}: silhouette", found.clusters.silhouette),
        Number(name, f"{what}: Moran's I of what differs most", found.moran),
        Number(name, f"{what}: the same, from chance", found.deviations, "standard deviations"),
        *against_planted(name, measured.truth, labels, found.table.yx.reshape(*found.grid, 2), what),
    ]


def _tables(
    measured: Measured, regions: list[Regions], patches: list[Patches], columns: Columns
) -> list[Table]:
    tables = []
    for found in regions:
        values = {
            "y_px": found.table.yx[:, 0],
            "x_px": found.table.yx[:, 1],
            "cluster": found.clusters.labels,
        }
        values |= {name: found.table.values[:, i] for i, name in enumerate(found.table.names)}
        tables.append(Table(f"{measured.name}_tiles_{found.kind}", values))
    if patches:
        values = {"y_px": columns.yx[:, 0], "x_px": columns.yx[:, 1], "sublattice": columns["sublattice"]}
        for one in patches:
            label = np.full(len(columns), -1)
            label[one.rows] = one.clusters.labels
            values[f"cluster_{one.whose.replace(' ', '_')}"] = label
        tables.append(Table(f"{measured.name}_patches", values))
    return tables


def _pictures(
    measured: Measured,
    image: np.ndarray,
    regions: list[Regions],
    patches: list[Patches],
    size: int,
    highest: float,
) -> list[Picture]:
    def draw():
        from stemnet.report.tiles import tiles_figure

        windows = Windows(size, size, log=True, highest=highest)
        labeled = {found.kind: (found.clusters.labels.reshape(found.grid), found.table) for found in regions}
        return tiles_figure(
            image, labeled, windows, sampling=measured.micrograph.sampling, title=measured.name
        )

    found = [] if not regions else [
        Picture(
            f"{measured.name}_tiles",
            f"{measured.name}: kinds of tile of {size} px; for spectra the mean spectrum of every kind, log(1 + "
            "magnitude), else the mean of every number and its standard deviation within the kind, over that of all.",
            draw,
        )
    ]  # fmt: skip
    return [*found, *([patches_picture(measured, image, patches)] if patches else [])]


def _sentence(measured: Measured, regions: list[Regions], patches: list[Patches], size: int) -> str:
    kinds = [
        kinds_in_words(found.clusters.n_clusters, found.clusters.silhouette, f"by {found.kind}")
        for found in regions
    ]
    around = [
        kinds_in_words(one.clusters.n_clusters, one.clusters.silhouette, f"around {one.whose}")
        for one in patches
    ]
    words = [f"tiles of {size} px: {', '.join(kinds)}"] if kinds else []
    words += [f"patches: {', '.join(around)}"] if around else []
    return f"{measured.name}: {'; '.join(words)}."
