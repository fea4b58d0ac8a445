"""How many components, and how many clusters: what several rules say, side by side.

They answer different questions. The noise floor asks which components are no
noise, the silhouette how well clusters are apart, the Bayesian information
criterion (BIC) how many Gaussians describe the density, and the gap statistic
whether there are any clusters at all: it alone can say one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from stemnet.analysis.clustering import silhouette
from stemnet.analysis.embedding import enough_rows
from stemnet.analysis.noise_floor import hard_threshold
from stemnet.descriptors.table import Descriptors

COUNTS = (1, 2, 3, 4, 5, 6)
ROWS = 1000  # rows that clusters are counted in, taken evenly
REFERENCES = 10  # tables without clusters behind the gap statistic
STARTS = 3


@dataclass(frozen=True)
class ComponentSelection:
    """How many components of a table are worth keeping.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (D,)
        ``component`` from 1; ``explained_variance`` and ``cumulative``, shares
        of the table's own variance; ``eigenvalue`` of the covariance in units
        of the noise's, and ``floor``, what noise alone would give there.
    choice : int
        Components above the level.
    sentence : str
        The same in words.
    level : float
        Eigenvalue above which a component is signal.
    """

    table: Mapping[str, np.ndarray]
    choice: int
    sentence: str
    level: float

    def record(self) -> dict[str, object]:
        """The same for a JSON file."""
        return {"choice": self.choice, "level": self.level, "sentence": self.sentence, **_lists(self.table)}


@dataclass(frozen=True)
class ClusterSelection:
    """How many clusters a table has, by three rules.

    Parameters
    ----------
    table : mapping of str to ndarray, shape (K,)
        ``clusters``; ``silhouette`` of k-means, NaN for one; ``bic`` of a
        Gaussian mixture; ``gap`` of k-means and ``gap_error``, the standard
        error of that.
    choice : int
        1 where the gap statistic sees no clusters, else what the silhouette says.
    sentence : str
        What each rule says.
    by_silhouette, by_bic, by_gap : int
        What each would choose.
    """

    table: Mapping[str, np.ndarray]
    choice: int
    sentence: str
    by_silhouette: int
    by_bic: int
    by_gap: int

    def record(self) -> dict[str, object]:
        """The same for a JSON file."""
        return {"choice": self.choice, "sentence": self.sentence, **_lists(self.table)}


def select_components(descriptors: Descriptors, noise: np.ndarray | None = None) -> ComponentSelection:
    """Count the components that stand above the noise.

    Parameters
    ----------
    descriptors : Descriptors
    noise : ndarray, shape (D, D), optional
        Covariance of the noise of a row, but for a common factor, such as the
        mean of `stemnet.descriptors.neighbor_errors`: neighbor vectors share the
        error of their own column, so that pure noise has two directions, those
        of a polar shift, with a variance k + 1 times that of the others. By
        default every number has independent noise of one variance.

    Returns
    -------
    ComponentSelection

    Raises
    ------
    StemnetError
        If there are too few complete rows, or all are equal.

    Notes
    -----
    The rows are brought to white noise, and counted by the optimal hard
    threshold of M. Gavish and D. L. Donoho, IEEE Transactions on Information
    Theory 60, 5040 (2014). The noise is measured from the median eigenvalue:
    where more than half of the components are signal, the last of them are
    taken for noise.
    """
    rows = enough_rows(descriptors, 1, "the noise floor")
    rows = rows - rows.mean(axis=0)
    d = rows.shape[1]
    own = np.sort(np.linalg.eigvalsh(np.atleast_2d(np.cov(rows.T))))[::-1]
    white = rows if noise is None else rows @ _whitening(noise)
    found = hard_threshold(np.maximum(np.linalg.eigvalsh(np.atleast_2d(np.cov(white.T))), 0), len(rows))
    share = own / own.sum()
    # in units of the noise: the floor's mean is its variance
    unit = float(found.floor.mean())
    table = {
        "component": np.arange(1, d + 1),
        "explained_variance": share,
        "cumulative": np.cumsum(share),
        "eigenvalue": found.eigenvalues / unit,
        "floor": found.floor / unit,
    }
    choice = found.n_signal
    kept = f", {100 * share[:choice].sum():.0f} % of the variance" if choice else ""
    sentence = f"{choice} of {d} components stand above the noise floor{kept}."
    return ComponentSelection(table, choice, sentence, found.level / unit)


def select_clusters(
    descriptors: Descriptors, counts: Sequence[int] = COUNTS, random_state: int = 0
) -> ClusterSelection:
    """Count clusters by silhouette, BIC and gap statistic.

    Parameters
    ----------
    descriptors : Descriptors
    counts : sequence of int
        Rising numbers of clusters to choose from, each one more than the last.
    random_state : int

    Returns
    -------
    ClusterSelection

    Raises
    ------
    StemnetError
        If there are too few complete rows, or all are equal.

    Notes
    -----
    Silhouette: P. J. Rousseeuw, Journal of Computational and Applied
    Mathematics 20, 53 (1987). BIC: G. Schwarz, Annals of Statistics 6, 461
    (1978). Gap: R. Tibshirani, G. Walther and T. Hastie, Journal of the Royal
    Statistical Society B 63, 411 (2001), with references uniform in the box of
    the principal axes, and the smallest number whose gap is within a standard
    error of the next one's. All see at most 1000 rows, taken evenly.
    """
    rows = enough_rows(descriptors, 1, "the number of clusters")
    rows = rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)]
    ks = [k for k in counts if k < len(rows)]
    with warnings.catch_warnings():
        # fewer distinct rows than clusters, or a mixture that creeps: the numbers say so
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [KMeans(k, n_init=STARTS, random_state=random_state).fit(rows) for k in ks]
        bic = np.array([_mixture(k, random_state).fit(rows).bic(rows) for k in ks])
        gap, error = _gap(rows, ks, np.array([fit.inertia_ for fit in fits]), random_state)
    apart = np.array([silhouette(rows, fit.labels_) for fit in fits])
    by_silhouette = ks[int(np.nanargmax(apart))] if np.isfinite(apart).any() else 1
    by_bic, by_gap = ks[int(bic.argmin())], ks[_first_within_error(gap, error)]
    table = {"clusters": np.array(ks), "silhouette": apart, "bic": bic, "gap": gap, "gap_error": error}
    choice = 1 if by_gap == 1 else by_silhouette
    sentence = (
        f"Number of clusters: {by_silhouette} by silhouette, {by_bic} by BIC, {by_gap} by the gap statistic"
    )
    sentence += ", to which no cluster is more than chance makes." if by_gap == 1 else "."
    return ClusterSelection(table, choice, sentence, by_silhouette, by_bic, by_gap)


def _lists(table: Mapping[str, np.ndarray]) -> dict[str, list]:
    """Columns of a table as lists, None where a number does not apply."""
    return {
        name: [None if value != value else value for value in values.tolist()]
        for name, values in table.items()
    }


def _whitening(noise: np.ndarray) -> np.ndarray:
    """The symmetric matrix (D, D) that makes noise of this covariance white; directions without noise count little."""
    variance, axes = np.linalg.eigh(noise)
    return (axes / np.sqrt(np.maximum(variance, 1e-6 * variance.max()))) @ axes.T


def _mixture(k: int, random_state: int) -> GaussianMixture:
    return GaussianMixture(k, n_init=1, random_state=random_state)


def _gap(
    rows: np.ndarray, ks: Sequence[int], inertia: np.ndarray, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    """Gap of every number of clusters, and its standard error, each (K,)."""
    rng = np.random.default_rng(random_state)
    centered = rows - rows.mean(axis=0)
    along = centered @ np.linalg.svd(centered, full_matrices=False)[2].T
    low, high = along.min(axis=0), along.max(axis=0)
    references = np.array(
        [
            [KMeans(k, n_init=1, random_state=random_state).fit(box).inertia_ for k in ks]
            for box in (rng.uniform(low, high, along.shape) for _ in range(REFERENCES))
        ]
    )
    logs = np.log(np.maximum(references, 1e-300))
    gap = logs.mean(axis=0) - np.log(np.maximum(inertia, 1e-300))
    return gap, logs.std(axis=0) * np.sqrt(1 + 1 / REFERENCES)


def _first_within_error(gap: np.ndarray, error: np.ndarray) -> int:
    """Index of the smallest number of clusters whose gap is at least the next one's less its error."""
    fine = np.nonzero(gap[:-1] >= gap[1:] - error[1:])[0]
    return int(fine[0]) if len(fine) else len(gap) - 1
