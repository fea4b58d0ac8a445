"""The whole analysis of one image's columns: lattice, neighbors, and the methods side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from stemnet.analysis.clustering import Clustering, cluster
from stemnet.analysis.comparison import Row, compare
from stemnet.analysis.described import described_by, holds_vectors, standardized
from stemnet.analysis.embedding import Embedding, embed
from stemnet.analysis.intensity import IntensityClasses, intensity_classes
from stemnet.analysis.vae import VariationalAutoencoder
from stemnet.columns import Columns
from stemnet.descriptors.geometry import bond_angles
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of, neighbor_vectors, sublattice_of
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

VECTORS, OTHERS = "vectors", "descriptors"
FEW = 10  # columns, of which fewer are never embedded


@dataclass(frozen=True)
class SideBySide:
    """Everything `side_by_side` found.

    Parameters
    ----------
    columns : Columns
        As given, with the fields ``sublattice``; ``lattice_a`` and
        ``lattice_b``, the cell of `lattice_indices`; ``intensity_class`` and
        ``intensity_class_probability``, of `intensity_classes`.
    lattice : Lattice or None
    intensities : IntensityClasses
    vectors, angles : Descriptors
        Neighbor vectors and bond angles, row i = column i.
    described : Descriptors
        What `describe` said; the vectors, where it gives these.
    embeddings : tuple of Embedding
        Of what was described: ``pca`` and ``vae``, or the methods that were asked for,
        less what could not be computed.
    clusterings : tuple of Clustering
        ``kmeans_vectors`` (``kmeans_descriptors`` of what are no vectors) and
        ``kmeans_angles``, or so of each clusterer, less what could not be computed.
    rows : list of dict
        The scoreboard of `compare`.
    notes : tuple of str
        What the user should know.
    """

    columns: Columns
    lattice: Lattice | None
    intensities: IntensityClasses
    vectors: Descriptors
    angles: Descriptors
    described: Descriptors
    embeddings: tuple[Embedding, ...]
    clusterings: tuple[Clustering, ...]
    rows: list[Row]
    notes: tuple[str, ...]


def side_by_side(
    columns: Columns,
    *,
    latent: int = 2,
    clusters: int | None = None,
    describe: Callable[..., Descriptors] = neighbor_vectors,
    embedders: Mapping[str, BaseEstimator] | None = None,
    clusterers: Mapping[str, BaseEstimator] | None = None,
    own_rows: Mapping[str, Descriptors] | None = None,
    truth: Mapping[str, np.ndarray] | None = None,
    random_state: int = 0,
) -> SideBySide:
    """Describe the columns by their neighbors and analyze them by PCA, VAE and k-means, or by other methods.

    Parameters
    ----------
    columns : Columns
    latent : int
        Size of the latent of the default PCA and VAE.
    clusters : int, optional
        By default the best silhouette of 2 to 6 decides.
    describe : callable
        `neighbor_vectors`, or any other function of the columns to Descriptors, with
        options bound to it where wanted; called with the columns, and ``lattice=``
        where it takes one. What are no vectors is embedded and clustered in
        standard deviations, beside the angles of the neighbors of the lattice.
    embedders : mapping of str to transformer, optional
        Methods by name in place of PCA and VAE.
    clusterers : mapping of str to clusterer or mixture, optional
        Methods by name in place of k-means; each labels vectors and angles.
    own_rows : mapping of str to Descriptors, optional
        Rows of an embedder, by its name, in place of the vectors; row i = column i.
    truth : mapping of str to ndarray, optional
        See `compare`.
    random_state : int

    Returns
    -------
    SideBySide
        Where there are too few columns, what can be computed, and a note.

    Raises
    ------
    StemnetError
        If an option does not exist; never for lack of columns.
    """
    lattice = lattice_of(columns)
    columns = columns.with_fields(sublattice=sublattice_of(columns, lattice))
    cells = np.full((len(columns), 2), -1) if lattice is None else lattice_indices(columns, lattice)
    intensities = intensity_classes(columns, random_state)
    columns = columns.with_fields(
        lattice_a=cells[:, 0],
        lattice_b=cells[:, 1],
        intensity_class=intensities.label,
        intensity_class_probability=intensities.probability,
    )
    notes = [_about(lattice)] if _about(lattice) else []
    described, what = _described(describe, columns, lattice, notes)
    vectors = described if what == VECTORS else neighbor_vectors(columns, lattice=lattice)
    angles = bond_angles(vectors)
    table = described if what == VECTORS else standardized(described)
    if embedders is None:
        embedders = {
            "pca": PCA(latent, random_state=random_state),
            "vae": VariationalAutoencoder(latent, random_state=random_state),
        }
    if clusterers is None:
        clusterers = {"kmeans": KMeans(n_init=10, random_state=random_state)}
    complete, needed = int(table.valid.sum()), max(10, 3 * table.values.shape[1] // 2)
    embeddings: list[Embedding] = []
    clusterings: list[Clustering] = []
    if complete < needed:
        whole = (
            f"all {table.values.shape[1] // 2} neighbors"
            if what == VECTORS
            else "a neighborhood inside the image"
        )
        notes.append(
            f"{complete} of {len(columns)} columns have {whole}; "
            f"at least {needed} are needed to embed and cluster. Use a larger field of view."
        )
    else:
        tables = {**dict.fromkeys(embedders, table), **(own_rows or {})}
        embeddings = _all(notes, [(embed, (tables[name], e, name)) for name, e in embedders.items()])
        clusterings = _all(
            notes,
            [
                (cluster, (rows, clusterer, clusters, f"{name}_{of}"))
                for name, clusterer in clusterers.items()
                for of, rows in ((what, table), ("angles", angles))
            ],
        )
    notes += _about_results(embeddings, clusterings)
    scores = compare(embeddings, clusterings, truth, random_state)
    return SideBySide(
        columns,
        lattice,
        intensities,
        vectors,
        angles,
        described,
        tuple(embeddings),
        tuple(clusterings),
        scores,
        tuple(notes),
    )


def _described(
    describe: Callable[..., Descriptors], columns: Columns, lattice: Lattice | None, notes: list[str]
) -> tuple[Descriptors, str]:
    """What describes the columns, and what it is called; for want of columns nothing, and a note."""
    if not len(columns):
        return neighbor_vectors(columns, lattice=lattice), VECTORS
    try:
        table = described_by(describe, columns, lattice)
    except StemnetError as problem:
        if len(columns) >= FEW:
            raise
        notes.append(str(problem))
        nothing = np.full((len(columns), 1), np.nan)
        return Descriptors(nothing, ("nothing_1",), columns.yx, np.zeros(len(columns), bool)), OTHERS
    return table, VECTORS if holds_vectors(table) else OTHERS


def _all(notes: list[str], calls: Sequence) -> list:
    """Results of the calls that succeed; what the others say becomes a note."""
    results = []
    for function, arguments in calls:
        try:
            results.append(function(*arguments))
        except StemnetError as error:
            notes.append(str(error))
    return results


def _about(lattice: Lattice | None) -> str:
    if lattice is None:
        return (
            "No lattice was found in the columns; neighbors are the 6 nearest columns by angle, and all "
            "columns count as one sublattice."
        )
    return lattice.note


def _about_results(embeddings: Sequence[Embedding], clusterings: Sequence[Clustering]) -> list[str]:
    notes = [note for e in embeddings for note in about_embedding(e)]
    for c in clusterings:
        if c.silhouette < 0.25:
            notes.append(
                f"{c.method}: no clear clusters (silhouette {c.silhouette:.2f}); "
                "the environments vary without a gap."
            )
    return notes


def about_embedding(embedding: Embedding) -> list[str]:
    """What the user should know of a latent: that it has collapsed, stayed linear, or did not settle."""
    model, method, notes = embedding.model, embedding.method, []
    information = getattr(model, "kl_", np.full(1, np.inf))
    silent = int((information < noise_information(*embedding.descriptors.complete.shape)).sum())
    if silent == len(information):
        return [
            f"The latent of {method} has collapsed: it carries no more information on the columns than noise alone "
            f"gives ({information.max():.2f} nats)."
        ]
    if silent:
        some = "1 has" if silent == 1 else f"{silent} have"
        notes.append(
            f"Of the {len(information)} latents of {method} {some} collapsed: no more information on the columns than "
            "noise alone gives. Use a smaller latent, or read the others only."
        )
    if getattr(model, "stayed_linear_", False):
        turning = getattr(model, "invariance", None) is not None
        what = "linear in the rows turned upright" if turning else "those of PCA, rescaled"
        notes.append(
            f"{method}: nothing beyond a linear model explained held-out columns better, so its latents are {what}."
        )
    if getattr(model, "n_iter_", 0) >= getattr(model, "max_iter", np.inf):
        notes.append(
            f"{method} did not settle in {model.max_iter} rounds; its latents may change with the seed. Allow more "
            "with max_iter, or do not rely on it."
        )
    return notes


def noise_information(n: int, d: int) -> float:
    """What a latent of white noise, n rows of d numbers, is at most said to tell of a row [nats].

    Half the logarithm of the largest eigenvalue by V. A. Marchenko and L. A. Pastur (1967), which is what an
    autoencoder at its linear start makes of it, a fifth more, and 0.12 nats that turning rows upright adds.
    """
    return 0.12 + 1.2 * float(np.log1p(np.sqrt(d / max(n - 1, 1))))
