"""Patches of the image around columns, and the kinds of column that they tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.clustering import Clustering, agreement
from stemnet.analysis.noise_floor import permutation_floor
from stemnet.analysis.streamed import COMPONENTS, blocks
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.columns import Columns
from stemnet.descriptors.patches import column_patches
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.findings import Number, Picture
from stemnet.studies.measured import Measured, Truth
from stemnet.studies.sliding_fft_truth import labels_at, planted_maps
from stemnet.studies.tiles_regions import clustered

PLANTED = ("species", "sublattice", "defect", "substituted")
ENOUGH = 2000  # patches that the noise floor is measured on
WIDEST = 63  # side of a patch that is cut by default [px]


@dataclass(frozen=True)
class Patches:
    """Patches around the columns of an image.

    Parameters
    ----------
    whose : str
        Which columns, in words.
    rows : ndarray of int, shape (M,)
        Which of the first frame's columns they belong to.
    size : int
        Side of a patch [px].
    table : Descriptors
        Pixels.
    signal : int
        Components above the noise floor.
    clusters : Clustering
        Of the scores of these.
    """

    whose: str
    rows: np.ndarray
    size: int
    table: Descriptors
    signal: int
    clusters: Clustering

    @property
    def means(self) -> np.ndarray:
        """Mean patch of every cluster, shape (k, size, size)."""
        labels = self.clusters.labels
        found = [self.table.values[labels == label].mean(axis=0) for label in range(self.clusters.n_clusters)]
        return np.reshape(found, (-1, self.size, self.size))


def patches_of(
    columns: Columns, rows: np.ndarray, image: np.ndarray, whose: str, *, size: int, method: str,
    clusters: int | None, seed: int,
) -> Patches:  # fmt: skip
    """Cut patches around some columns and cluster their components above the noise floor.

    The floor is that of patches whose pixels are dealt out anew, each among all
    patches, so that no two go together any more.

    Raises
    ------
    StemnetError
        If there are too few columns, or no component stands above the floor.
    """
    some = columns.select(np.isin(np.arange(len(columns)), rows))
    table = column_patches(some, image, size)
    if table.valid.sum() < 12:
        raise StemnetError(
            f"{int(table.valid.sum())} patches around {whose} lie in the image; 12 or more are needed to tell kinds "
            "apart. Use a larger field of view or smaller patches."
        )
    complete = table.complete
    floor = permutation_floor(complete[:: -(-len(complete) // ENOUGH)], rng=np.random.default_rng(seed))
    if floor.n_signal == 0:
        raise StemnetError(f"No component of the patches around {whose} stands above the noise floor.")
    kept = min(floor.n_signal, COMPONENTS, len(complete) - 1)
    scores = StreamedPCA(kept).fit_transform(blocks(table))
    names = tuple(f"score{i + 1}_1" for i in range(kept))
    learned = Descriptors(scores, names, some.yx, table.valid, "patch")
    found = clustered(learned, method, clusters, seed)
    return Patches(whose, np.sort(rows), size, table, floor.n_signal, found)


def about_patches(measured: Measured, patches: Patches, first: np.ndarray) -> list[Number]:
    """Numbers of one set of patches; `first` (N,) tells which of the found columns are the first frame's."""
    name, whose = measured.name, f"patches around {patches.whose}"
    labels = patches.clusters.labels
    numbers = [
        Number(name, f"{whose}: side", float(patches.size), "px"),
        Number(name, f"{whose}: clustered", float((labels >= 0).sum())),
        Number(name, f"{whose}: components above the noise floor", float(patches.signal)),
        Number(name, f"{whose}: clusters", float(patches.clusters.n_clusters)),
        Number(name, f"{whose}: silhouette", patches.clusters.silhouette),
    ]
    if measured.truth is None:
        return numbers
    planted = _planted(measured.truth, first)
    planted = {key: values[patches.rows] for key, values in planted.items()}
    for key, label in planted_maps(measured.truth).items():
        planted[key] = labels_at(label, measured.truth.field_step, patches.table.yx)
    told: list[np.ndarray] = []
    for key, values in planted.items():
        values = np.where(labels >= 0, values, -1)
        same = any(agreement(values, other)[0] == 1 for other in told)
        if len(np.unique(values[values >= 0])) > 1 and not same:
            told.append(values)
            rand, shared = agreement(labels, values)
            numbers += [
                Number(name, f"{whose} against planted {key}: adjusted Rand index", rand),
                Number(name, f"{whose} against planted {key}: normalized mutual information", shared),
            ]
    return numbers


def _planted(truth: Truth, first: np.ndarray) -> dict[str, np.ndarray]:
    """What kind of column each of the first frame's is, as whole numbers; -1 where no true one is near."""
    found = {}
    for key in PLANTED:
        if key in truth.columns:
            values = truth.of(key)[first]
            coded = np.unique(values, return_inverse=True)[1]
            found[key] = np.where(truth.partner[first] >= 0, coded, -1)
    return found


def patches_picture(measured: Measured, image: np.ndarray, sets: list[Patches]) -> Picture:
    """Maps of the kinds of patch, and the mean patch of each."""

    def draw():
        from stemnet.report.tiles import patches_figure

        return patches_figure(
            image,
            {one.whose: (one.table.yx, one.clusters.labels, one.means) for one in sets},
            sampling=measured.micrograph.sampling,
            title=measured.name,
        )

    return Picture(
        f"{measured.name}_patches",
        f"{measured.name}: columns by the kind of patch around them, and the mean patch of every kind, the same gray "
        "levels in a row.",
        draw,
    )
