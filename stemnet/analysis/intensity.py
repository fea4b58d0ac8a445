"""Kinds of columns that share their place in the cell: classes of intensity within every sublattice.

The logarithm of the intensity is a mixture of Gaussians, one per kind of column,
on a gain that changes smoothly over the image (thickness, contamination, charge)
and is the same for all sublattices. Kinds and gain are found together, since
either alone is mistaken for the other: a wedge is not an alloy, and the
composition of an alloy may change along the image.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from stemnet.columns import Columns
from stemnet.descriptors.lattice import column_spacing

MOST = 4  # classes of one sublattice
ENOUGH = 30  # columns of a sublattice that is divided at all
FEWEST = 4  # columns that make a class: fewer are outliers
MARGIN = 10.0  # by which the BIC must fall for another class; very strong evidence (Kass and Raftery, 1995)
APART = (
    3.0  # distance of two classes in units of their mean width: two peaks with a gap (Ashman et al., 1994)
)
ORDERS = (0, 2, 3)  # of the polynomial that the gain may be
RING = 1.2  # nearest spacings from the edge of the image, within which columns are not fitted but labeled
ROUNDS = 4  # of classes and gain in turn
ROWS = 4000  # columns of a sublattice that a mixture is fitted to


@dataclass(frozen=True)
class IntensityClasses:
    """Which kind of column each is, by its intensity.

    Parameters
    ----------
    label : ndarray of int, shape (N,)
        0 is the brightest of the column's sublattice; -1 where the sublattice
        or the intensity is unknown.
    probability : ndarray, shape (N,)
        Of the label, 0 to 1; NaN where it is -1, 1 where there is one class.
    gain : ndarray, shape (N,)
        Smooth factor on the intensity that was divided out.
    means : mapping of int to ndarray
        By sublattice, the intensity of its classes, that of class 0 being 1.
    """

    label: np.ndarray
    probability: np.ndarray
    gain: np.ndarray
    means: Mapping[int, np.ndarray]

    def record(self, sublattice: np.ndarray) -> dict[str, object]:
        """Values for ``metrics.json``: of every sublattice, how many columns each class has and how bright it is."""
        return {
            str(s): {
                "columns": np.bincount(
                    self.label[(sublattice == s) & (self.label >= 0)], minlength=len(means)
                ).tolist(),
                "relative_intensity": [round(float(mean), 4) for mean in means],
            }
            for s, means in self.means.items()
        }


def intensity_classes(columns: Columns, random_state: int = 0) -> IntensityClasses:
    """Divide every sublattice by intensity, where there is clear evidence of several kinds of column.

    Parameters
    ----------
    columns : Columns
        With ``intensity`` and ``sublattice``, and ``frame`` where there are
        several.
    random_state : int
        Of the mixtures' starts.

    Returns
    -------
    IntensityClasses
        One class in a sublattice of fewer than thirty columns, and wherever the
        Bayesian information criterion does not fall by ten and the classes do
        not stand apart by two and a half of their widths.
    """
    label = np.full(len(columns), -1)
    probability, gain = np.full(len(columns), np.nan), np.ones(len(columns))
    intensity = np.asarray(columns.fields.get("intensity", np.full(len(columns), np.nan)), dtype=float)
    sublattice = np.asarray(columns["sublattice"], dtype=int)
    rows = np.nonzero((sublattice >= 0) & np.isfinite(intensity) & (intensity > 0))[0]
    if not len(rows):
        return IntensityClasses(label, probability, gain, {})
    log, group = np.log(intensity[rows]), sublattice[rows]
    place = 2 * columns.yx[rows] / np.array(columns.shape) - 1
    whole = _whole(columns, rows)
    fits = [_fit(log, group, place, whole, order, random_state) for order in ORDERS]
    _, smooth, mixtures = min(fits, key=lambda fit: fit[0])
    gain[rows] = np.exp(smooth)
    means = {}
    for s, mixture in mixtures.items():
        mine = group == s
        order = np.argsort(-mixture.means_.ravel())
        share = mixture.predict_proba((log - smooth)[mine, None])[:, order]
        label[rows[mine]], probability[rows[mine]] = share.argmax(axis=1), share.max(axis=1)
        level = mixture.means_.ravel()[order]
        means[s] = np.exp(level - level[0])
    return IntensityClasses(label, probability, gain, means)


def _whole(columns, rows):
    """Which columns lie inside the outermost ring, whose light and whose neighbors the edge of the image cuts off."""
    yx = columns.yx[rows]
    if len(rows) < 2:
        return np.ones(len(rows), bool)
    return np.minimum(yx, np.array(columns.shape) - 1 - yx).min(axis=1) >= RING * column_spacing(yx)


def _fit(log, group, place, whole, order, random_state):
    """BIC, log gain (n,), and the mixture of every sublattice, for a gain of this order."""
    terms = _terms(place, order)
    terms = terms - terms[whole].mean(axis=0) if whole.any() else terms
    parts = {s: np.nonzero((group == s) & whole)[0] for s in np.unique(group)}
    parts = {s: rows for s, rows in parts.items() if len(rows) > 1}
    center = np.zeros(len(log))
    for rows in parts.values():
        center[rows] = np.median(log[rows])
    fitted = np.concatenate([*parts.values()]) if parts else np.zeros(0, int)
    best = np.inf, np.zeros(len(log)), {}
    for divided in (False, True):  # the gain first, or the classes first
        smooth = np.zeros(len(log)) if divided else _smooth(log - center, terms, fitted)
        for _ in range(ROUNDS):
            mixtures = {s: _mixture((log - smooth)[rows], random_state) for s, rows in parts.items()}
            if not order:
                break
            expected = np.zeros(len(log))
            for s, rows in parts.items():
                share = mixtures[s].predict_proba((log - smooth)[rows, None])
                expected[rows] = share @ mixtures[s].means_.ravel()
            smooth = _smooth(log - expected, terms, fitted)
        cost = terms.shape[1] * np.log(len(log))
        cost += sum(mixtures[s].bic((log - smooth)[rows, None]) for s, rows in parts.items())
        if cost < best[0]:
            best = cost, smooth, mixtures
        if not order:
            break
    return best


def _terms(place, order):
    y, x = place.T
    powers = [(i, j) for i in range(order + 1) for j in range(order + 1 - i) if i + j]
    return np.stack([y**i * x**j for i, j in powers], axis=1) if powers else np.zeros((len(place), 0))


def _smooth(values, terms, fitted):
    """The polynomial through the fitted rows' values, blind to outliers, at every row."""
    if not terms.shape[1] or len(fitted) < 3 * terms.shape[1]:
        return np.zeros(len(values))
    weight = np.ones(len(fitted))
    for _ in range(5):
        left, right = terms[fitted] * weight[:, None], values[fitted] * weight
        coefficients = np.linalg.lstsq(left, right, rcond=None)[0]
        off = np.abs(values[fitted] - terms[fitted] @ coefficients)
        weight = np.sqrt(1 / np.maximum(1, off / (2 * np.median(off) + 1e-12)))
    return terms @ coefficients


def _mixture(values, random_state):
    """The mixture of as many Gaussians as there is clear evidence for."""
    sample = values
    if len(values) > ROWS:
        sample = np.random.default_rng(random_state).choice(values, ROWS, replace=False)
    accepted = _gaussians(sample, 1, None, random_state)
    if len(sample) < ENOUGH:
        return accepted
    for count in range(2, MOST + 1):
        wider = _gaussians(sample, count, accepted, random_state)
        better = wider.bic(sample[:, None]) < accepted.bic(sample[:, None]) - MARGIN
        if better and _stand_apart(wider, len(sample)):
            accepted = wider
    return accepted


def _gaussians(values, count, fewer, random_state):
    """A mixture of so many Gaussians: the best of several starts, since a few columns of a kind are easily missed."""
    # narrower than this is no population but a few equal values
    spread = np.diff(np.percentile(values, [25, 75]))[0] / 1.35
    options = {"reg_covar": (0.1 * spread) ** 2 + 1e-8, "random_state": random_state}
    starts = [GaussianMixture(count, n_init=2, **options)]
    if fewer is not None:
        tails = np.partition(values, [FEWEST, len(values) - FEWEST])
        known = list(fewer.means_.ravel())
        for added in (
            [np.mean(tails[:FEWEST])],
            [np.mean(tails[-FEWEST:])],
            [*np.mean([tails[:FEWEST], tails[-FEWEST:]], axis=1)],
        ):
            if len(known) + len(added) == count:
                means = np.sort([*known, *added])
                # a start as narrow as the bulk, else the wide first guess swallows the few
                precision = np.full((count, 1, 1), 1 / (spread**2 + 1e-8))
                starts.append(
                    GaussianMixture(count, means_init=means[:, None], precisions_init=precision, **options)
                )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [start.fit(values[:, None]) for start in starts]
    return min(fits, key=lambda fit: fit.bic(values[:, None]))


def _stand_apart(mixture, amount):
    order = np.argsort(mixture.means_.ravel())
    mean, variance = mixture.means_.ravel()[order], mixture.covariances_.ravel()[order]
    distance = np.diff(mean) / np.sqrt((variance[1:] + variance[:-1]) / 2)
    return bool(distance.min() > APART and mixture.weights_.min() * amount >= FEWEST)
