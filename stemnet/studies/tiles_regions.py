"""Tiles of an image described in three ways, and the kinds of tile that each tells apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.clustering import Clustering, cluster, kmeans, mixture
from stemnet.analysis.maps import morans_i
from stemnet.analysis.noise_floor import surrogate_floor
from stemnet.analysis.streamed import COMPONENTS, blocks
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.columns import Columns
from stemnet.descriptors.nearest_bonds import nearest_bonds
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.tiles import tile_means, tile_spectra, tile_statistics
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

LEAST_TILES = 9
LEAST_COLUMNS = 2  # in a tile that is described by its columns
SURROGATES = 5
LEARNED = 20000  # tiles that clusters are learned from


@dataclass(frozen=True)
class Regions:
    """Tiles described in one way, and their kinds.

    Parameters
    ----------
    kind : str
        "spectra", "statistics" or "columns".
    grid : tuple of int
        Rows and columns of tiles.
    table : Descriptors
        As described, in units.
    clusters : Clustering
        Of what was learned from it: scores above the noise floor, or numbers
        over their standard deviation.
    moran, deviations : float
        Moran's I of the direction in which tiles differ most, and its distance
        from that of tiles dealt out at random [standard deviations].
    signal : int
        Components of the spectra above the noise floor; -1 for other kinds.
    """

    kind: str
    grid: tuple[int, int]
    table: Descriptors
    clusters: Clustering
    moran: float
    deviations: float
    signal: int = -1


def tile_size(
    shape: tuple[int, int], spacing: float | None, notes: list[str], *, size: int | None, cells: float
) -> int:
    """Side of a tile [px]: as given, else `cells` periods of the lattice, else a tenth of the image.

    Raises
    ------
    StemnetError
        If the image does not hold nine tiles of 8 px.
    """
    most = int(min(shape) // LEAST_TILES**0.5)
    if most < 8:
        raise StemnetError(
            f"An image of {shape[0]} x {shape[1]} px holds no {LEAST_TILES} tiles of 8 px; a larger one is needed."
        )
    if size is not None:
        return size
    suitable = max(16, 4 * round(cells * spacing / 4 if spacing else min(shape) / 40))
    if suitable > most:
        notes.append(
            f"Tiles of {suitable} px are too large for an image of {shape[0]} x {shape[1]} px; {most} px are taken."
        )
    return min(suitable, most)


def clustered(descriptors: Descriptors, method: str, clusters: int | None, seed: int) -> Clustering:
    """Kinds of row by k-means or a Gaussian mixture; the number by best silhouette unless it is given."""
    estimator = kmeans(seed) if method == "kmeans" else mixture(seed)
    return cluster(descriptors, estimator, clusters, method=method, most=LEARNED)


def by_spectra(
    image: np.ndarray, size: int, highest: float, *, method: str, clusters: int | None, seed: int
) -> Regions:
    """Tiles by the components of their spectra that stand above the noise floor.

    Raises
    ------
    StemnetError
        If none does, or there are too few tiles.
    """
    windows = Windows(size, size, log=True, highest=highest)
    table = tile_spectra(image, size, log=True, highest=windows.highest)
    most = min(COMPONENTS, int(table.valid.sum()) - 1, table.values.shape[1])
    pca = StreamedPCA(max(most, 1)).fit(blocks(table))
    floor = surrogate_floor(
        image, windows, pca.eigenvalues_, surrogates=SURROGATES, rng=np.random.default_rng(seed)
    )
    if floor.n_signal == 0:
        raise StemnetError(
            "No component of the tiles' spectra stands above the noise floor: by their spectra all tiles are of one "
            "kind. Larger tiles see more."
        )
    kept = min(floor.n_signal, most)
    scores = pca.transform(blocks(table))[:, :kept]
    names = tuple(f"score{i + 1}_1" for i in range(kept))
    learned = Descriptors(scores, names, table.yx, table.valid, "tile")
    return _regions("spectra", image.shape, size, table, learned, method, clusters, seed, floor.n_signal)


def by_statistics(image: np.ndarray, size: int, *, method: str, clusters: int | None, seed: int) -> Regions:
    """Tiles by the moments of their pixels."""
    table = tile_statistics(image, size)
    return _regions("statistics", image.shape, size, table, standardized(table), method, clusters, seed)


def by_columns(columns: Columns, size: int, *, method: str, clusters: int | None, seed: int) -> Regions:
    """Tiles by how the columns in them stand to their nearest neighbors.

    Raises
    ------
    StemnetError
        If there are too few columns, or too few tiles that hold some.
    """
    lattice = lattice_of(columns)
    table = tile_means(
        nearest_bonds(columns, 6 if lattice is None else lattice.k), columns, size, LEAST_COLUMNS
    )
    return _regions("columns", columns.shape, size, table, standardized(table), method, clusters, seed)


def standardized(table: Descriptors) -> Descriptors:
    """Every number less its mean, over its standard deviation; constant ones are 0."""
    rows = table.complete
    if not len(rows):
        return table
    deviation = rows.std(axis=0)
    # numbers that rounding alone makes different carry nothing
    known = deviation > 1e-9 * np.abs(rows).max(axis=0, initial=1e-300)
    values = np.where(known, (table.values - rows.mean(axis=0)) / np.where(known, deviation, 1.0), 0.0)
    values[~table.valid] = np.nan
    return Descriptors(values, table.names, table.yx, table.valid, table.row)


def _regions(
    kind: str,
    shape: tuple[int, int],
    size: int,
    table: Descriptors,
    learned: Descriptors,
    method: str,
    clusters: int | None,
    seed: int,
    signal: int = -1,
) -> Regions:
    found = clustered(learned, method, clusters, seed)
    tops, lefts = Windows(size, size).starts(shape)
    # along the direction in which the tiles differ most
    off = learned.complete - learned.complete.mean(axis=0)
    first = off @ np.linalg.svd(off, full_matrices=False)[2][:1].T
    moran, deviations = morans_i(first, learned.yx[learned.valid], seed)
    return Regions(kind, (len(tops), len(lefts)), table, found, moran, deviations, signal)
