"""Local crystallography: kinds of environment, by k-means on vectors and on angles, beside principal components.

A. Belianinov et al., Nat. Commun. 6, 7801 (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from stemnet.analysis.clustering import Clustering, cluster
from stemnet.analysis.embedding import Embedding, embed
from stemnet.descriptors.geometry import bond_angles
from stemnet.descriptors.table import Descriptors

STARTS = 10  # of k-means, of which the best is kept


@dataclass(frozen=True)
class Environments:
    """Environments of the same columns, told apart in three ways.

    Parameters
    ----------
    vectors, angles : Clustering
        k-means on the full neighbor vectors, and on the angles between them alone,
        which know nothing of lengths and of rotation.
    components : Embedding
        Principal components of the vectors.
    """

    vectors: Clustering
    angles: Clustering
    components: Embedding


def environments(
    table: Descriptors,
    *,
    seed: int = 0,
    clusters: int | None = None,
    choices: Sequence[int] = (2, 3, 4, 5, 6),
    components: int = 3,
) -> Environments:
    """Tell environments apart.

    Parameters
    ----------
    table : Descriptors
        From `neighbor_vectors`, in one order for all columns.
    seed : int
        Of k-means.
    clusters : int, optional
        By default the one of `choices` with the best silhouette, for each of the two.
    choices : sequence of int
    components : int

    Returns
    -------
    Environments

    Raises
    ------
    StemnetError
        If there are too few complete rows, or all are equal.
    """
    return Environments(
        _means(table, "kmeans_vectors", seed, clusters, choices),
        _means(bond_angles(table), "kmeans_angles", seed, clusters, choices),
        embed(table, PCA(min(components, len(table.names)), svd_solver="full"), "pca"),
    )


def _means(table, method, seed, clusters, choices):
    return cluster(table, KMeans(n_init=STARTS, random_state=seed), clusters, method, choices)
