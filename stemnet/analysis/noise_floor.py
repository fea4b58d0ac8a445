"""Where the signal ends: how many components stand above what noise alone gives.

Three rules, for three kinds of table. Of a table whose noise is white (each number
with noise of its own, rows independent) the floor is known in closed form: the
optimal hard threshold of M. Gavish and D. L. Donoho, IEEE Transactions on
Information Theory 60, 5040 (2014), above the edge of V. A. Marchenko and L. A.
Pastur, Mathematics of the USSR-Sbornik 1, 457 (1967).

Spectra of overlapping windows are no such table: their noise is shared between
windows and between frequencies, and larger where a reflection stands. There the
floor is measured, by parallel analysis (J. L. Horn, Psychometrika 30, 179, 1965):
a surrogate image, as homogeneous as an image of these reflections and this noise
can be, passes through the same windows, several times over, and a component is
signal if its eigenvalue exceeds what the largest one of another surrogate would.
Of a table whose rows are independent but whose noise is of any size in every
number, the surrogates are the table itself, each number dealt out anew among the
rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import t as student

from stemnet.analysis.homogeneous_twin import twins_of
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.spectra_stream import SpectraStream
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

SURROGATES = 5
FALSE_ALARM = 0.01  # chance that noise alone passes for a component
LEAST_SPREAD = 0.03  # of the largest eigenvalue from surrogate to surrogate; a few agree better by chance


@dataclass(frozen=True)
class NoiseFloor:
    """How many components are signal, and the two curves of a scree figure.

    Parameters
    ----------
    rule : str
        ``hard threshold``, ``surrogates`` or ``permutations``.
    eigenvalues : ndarray, shape (D,)
        Of the data's covariance, falling.
    floor : ndarray, shape (D,)
        What noise alone gives for each rank.
    level : float
        Components with a larger eigenvalue are signal.
    """

    rule: str
    eigenvalues: np.ndarray
    floor: np.ndarray
    level: float

    @property
    def n_signal(self) -> int:
        """Number of components above the level."""
        return int((self.eigenvalues > self.level).sum())

    @property
    def contrast(self) -> float:
        """Largest eigenvalue over the level."""
        return float(self.eigenvalues[0] / self.level) if self.level > 0 else float("inf")


def hard_threshold(eigenvalues: np.ndarray, n_rows: int) -> NoiseFloor:
    """Signal by the optimal hard threshold, the noise unknown but white.

    Parameters
    ----------
    eigenvalues : ndarray, shape (D,)
        Of the covariance of a table of independent rows, all of them.
    n_rows : int
        Rows of that table.

    Returns
    -------
    NoiseFloor
        Its `floor` is the Marchenko-Pastur law, a quantile for each rank.

    Raises
    ------
    StemnetError
        If there are no more rows than numbers, or the eigenvalues are none.

    Notes
    -----
    The threshold is lambda(beta) / sqrt(mu_beta) times the median singular
    value, with lambda of eq. (11) and mu_beta the median of the
    Marchenko-Pastur law, eq. (14) and below, beta = D / (n - 1). It holds for
    tables of column descriptors, not for windows that overlap.
    """
    eigenvalues = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    d = len(eigenvalues)
    if (
        d < 2
        or n_rows - 1 < d
        or not (np.isfinite(eigenvalues).all() and eigenvalues[-1] >= -1e-9 * eigenvalues[0])
    ):
        raise StemnetError(
            f"{d} eigenvalues of {n_rows} rows were given; two or more finite ones, none negative, of more rows than "
            "numbers are needed. Use a larger field of view or fewer numbers per row."
        )
    beta = d / (n_rows - 1)
    law = marchenko_pastur_quantiles(beta, d)
    variance = float(np.median(eigenvalues) / marchenko_pastur_quantiles(beta, 1)[0])
    factor = 2 * (beta + 1) + 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1))
    return NoiseFloor("hard threshold", eigenvalues, variance * law, variance * factor)


def marchenko_pastur_quantiles(beta: float, count: int) -> np.ndarray:
    """Expected eigenvalues of white noise of variance 1, falling, shape (count,); beta = D / n, at most 1."""
    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2

    def share_below(angle: float) -> float:
        # x = middle - half width x cos(angle) takes the infinite slopes at both edges out of the integral
        half = 2 * np.sqrt(beta)
        return quad(
            lambda t: (half * np.sin(t)) ** 2 / (2 * np.pi * beta * (1 + beta - half * np.cos(t))), 0, angle
        )[0]

    grid = np.linspace(0, np.pi, 257)
    shares = np.array([share_below(angle) for angle in grid])
    wanted = 1 - (np.arange(count) + 0.5) / count
    angle = np.interp(wanted, shares / shares[-1], grid)
    if count == 1:  # the median, to rounding
        angle = np.array([brentq(lambda a: share_below(a) - 0.5 * shares[-1], 0, np.pi)])
    return (low + high) / 2 - 2 * np.sqrt(beta) * np.cos(angle)


def surrogate_floor(
    image: np.ndarray,
    windows: Windows,
    eigenvalues: np.ndarray | None = None,
    *,
    surrogates: int = SURROGATES,
    rng: np.random.Generator | int = 0,
) -> NoiseFloor:
    """Signal by comparison with surrogate images that hold no difference from place to place.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    windows : Windows
    eigenvalues : ndarray, shape (D,), optional
        Of `StreamedPCA` on the windows of the image; computed by default.
    surrogates : int
        Number of surrogate images; each costs what the image costs.
    rng : numpy Generator or int
        Or the seed of one.

    Returns
    -------
    NoiseFloor
        Its `floor` is the mean eigenvalue of the surrogates for each rank; their
        largest stays below its `level` in 99 of 100 cases.

    Raises
    ------
    StemnetError
        If there are fewer than two surrogates, or as `SpectraStream` and `StreamedPCA` raise.
    """
    if not surrogates >= 2:
        raise StemnetError(
            f"{surrogates!r} surrogates were asked for; their spread needs 2 or more. Pass surrogates=5."
        )
    rng = np.random.default_rng(rng)
    stream = SpectraStream(image, windows)
    if eigenvalues is None:
        eigenvalues = StreamedPCA(1).fit(stream).eigenvalues_
    # twins are masked and filled where the image is: what a hole does to its windows is no signal
    unknown = ~np.isfinite(image)
    twins = twins_of(np.where(unknown, np.nan, stream.image), windows.size)
    del stream
    found = []
    for _ in range(surrogates):
        twin = twins.draw(rng)
        twin[unknown] = np.nan
        found.append(StreamedPCA(1).fit(SpectraStream(twin, windows, unit=1.0)).eigenvalues_)
    return NoiseFloor("surrogates", np.asarray(eigenvalues), np.mean(found, axis=0), _level(found))


def permutation_floor(
    rows: np.ndarray, *, permutations: int = SURROGATES, rng: np.random.Generator | int = 0
) -> NoiseFloor:
    """Signal by comparison with tables of the same numbers that have nothing to do with each other.

    Parameters
    ----------
    rows : ndarray, shape (n, D)
        Complete and independent of each other; more or fewer than numbers.
    permutations : int
        Tables in which every number is dealt out anew among the rows.
    rng : numpy Generator or int
        Or the seed of one.

    Returns
    -------
    NoiseFloor
        As `surrogate_floor` returns it, of at most min(n, D) eigenvalues.

    Raises
    ------
    StemnetError
        If there are fewer than two permutations, fewer than three rows, or numbers that are not finite.
    """
    rows = np.asarray(rows, dtype=np.float64)
    if not permutations >= 2:
        raise StemnetError(
            f"{permutations!r} permutations were asked for; their spread needs 2 or more. Pass permutations=5."
        )
    if rows.ndim != 2 or len(rows) < 3 or not np.isfinite(rows).all():
        raise StemnetError(
            f"A table of shape {rows.shape} was given; three or more complete rows of finite numbers are needed. "
            "Use a larger field of view, or leave rows out that are not valid."
        )
    rng = np.random.default_rng(rng)
    found = [_eigenvalues(rng.permuted(rows, axis=0)) for _ in range(permutations)]
    return NoiseFloor("permutations", _eigenvalues(rows), np.mean(found, axis=0), _level(found))


def _eigenvalues(rows: np.ndarray) -> np.ndarray:
    """Of the covariance of rows (n, D), falling, shape (min(n, D),)."""
    off = rows - rows.mean(axis=0)
    small = off.T @ off if off.shape[0] >= off.shape[1] else off @ off.T
    return np.maximum(np.linalg.eigvalsh(small)[::-1], 0.0) / (len(rows) - 1)


def _level(found: list[np.ndarray]) -> float:
    """What the largest eigenvalue of one more surrogate stays below in 99 of 100 cases."""
    largest = np.max(found, axis=1)
    # by Student's law, since a few say little of their spread
    reach = student.ppf(1 - FALSE_ALARM, len(found) - 1) * np.sqrt(1 + 1 / len(found))
    spread = max(largest.std(ddof=1), LEAST_SPREAD * largest.mean())
    return float(largest.mean() + reach * spread)
