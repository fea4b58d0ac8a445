"""Polar domains, told by the direction of the polarization, as the components of a mixture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from stemnet.errors import StemnetError

MOST = 8  # domains that are looked for: the <110> and <100> directions of a projection
SMALLEST = 0.04  # a domain has this share of the cells; fewer are the cells of a wall
APART = 2.0  # standard deviations between the means of two (Ashman et al., Astron. J. 108, 2348, 1994)
WALLS = 0.2  # largest share of the cells that may be on the way from one domain to another
ON_THE_WAY = 0.15  # of the way, by which their mean may miss it; domains of one length miss it by 0.2 or more
SURE = 0.9  # a cell belongs to the domain that is at least this probable
FEWEST = 12  # cells that a mixture is fitted to
ITERATIONS = 200


@dataclass(frozen=True)
class Domains:
    """Domains by the direction of polarization.

    Parameters
    ----------
    label : ndarray of int, shape (N,)
        Domain of each row, the largest 0; -1 where it is not known or in between.
    means : ndarray, shape (K, 2)
        Mean vectors (y, x) of the domains, in their unit.
    spread : float
        Standard deviation about the means, per axis.
    sentence : str
        What was found.
    """

    label: np.ndarray
    means: np.ndarray
    spread: float
    sentence: str

    def __len__(self) -> int:
        return len(self.means)

    @property
    def angles(self) -> np.ndarray:
        """Directions of the means, atan2(y, x), shape (K,) [rad]."""
        return np.arctan2(self.means[:, 0], self.means[:, 1])


def find_domains(
    vectors: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    valid: np.ndarray | None = None,
    count: int | None = None,
) -> Domains:
    """Tell domains by their vectors, as components of a Gaussian mixture of one round width.

    The number is the one of the least Bayesian information criterion (Schwarz,
    Ann. Stat. 6, 461, 1978) among those whose components stand apart. A small
    component on the way from one to another is the wall between them: domains
    are of about one length, so that none lies straight between two others.

    Parameters
    ----------
    vectors : ndarray, shape (N, 2)
        (y, x), in any unit; rows that are not finite have no domain.
    errors : ndarray, shape (N, 2), optional
        Standard errors: no component is narrower than these.
    valid : ndarray of bool, shape (N,), optional
        Rows to use.
    count : int, optional
        Number of domains, if it is known.

    Returns
    -------
    Domains
        One, with a sentence that says so, where the vectors fall into no groups.

    Raises
    ------
    StemnetError
        If there are too few vectors, or domains asked for.
    """
    fine = np.isfinite(vectors).all(axis=1)
    rows = np.nonzero(fine if valid is None else fine & valid)[0]
    if len(rows) < FEWEST:
        raise StemnetError(
            f"{len(rows)} vectors were given; domains need {FEWEST} or more. Take a larger part of the image."
        )
    if count is not None and not 1 <= count <= MOST:
        raise StemnetError(f"{count} domains were asked for; 1 to {MOST} can be told apart. Ask for fewer.")
    here = vectors[rows]
    floor = 0.0 if errors is None else float(np.nanmean(errors[rows] ** 2))
    floor = max(floor, 1e-12 * float((here**2).mean()), 1e-300)
    best = None
    for fit in _mixtures(here, floor):
        means, weights, variance, criterion = fit
        wanted = _apart(means, weights, variance)
        if count is not None:
            wanted = (len(means) == count or wanted) and (~_between(means, weights)).sum() == count
        if wanted and (best is None or criterion < best[3]):
            best = fit
    if best is None:
        raise StemnetError(f"The vectors do not fall into {count} groups. Leave the number of domains open.")
    means, weights, variance, _ = best
    wall = _between(means, weights)
    order = np.lexsort((means[:, 1], means[:, 0], -np.round(weights, 9), wall))
    means, weights, number = means[order], weights[order], int((~wall).sum())
    share = _shares(here, means, weights, variance)
    label = np.full(len(vectors), -1)
    label[rows] = np.where(share[:, :number].max(axis=1) >= SURE, share.argmax(axis=1), -1)
    spread = float(np.sqrt(variance))
    means, weights = means[:number], weights[:number]
    if len(means) == 1:
        sentence = "No groups of vectors stand apart: one domain, or a gradual turn."
    else:
        parts = [
            f"{part:.0%} "
            + ("not polar" if np.hypot(*mean) < spread else f"at {np.degrees(np.arctan2(*mean)):.0f}")
            for mean, part in zip(means, weights, strict=True)
        ]
        sentence = f"{len(means)} domains, in degrees from +x towards +y: {', '.join(parts)}."
    return Domains(label, means, spread, sentence)


def _mixtures(vectors, floor):
    """Mixtures of MOST components down to one, the closest two joined each time: (means, weights, variance, BIC)."""
    # Starts turn with the data: around the mean, from the axis along which they vary most.
    middle = vectors.mean(axis=0)
    size, axes = np.linalg.eigh(np.cov((vectors - middle).T))
    turn = 2 * np.pi * np.arange(MOST) / MOST
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.sqrt(2 * np.maximum(size[::-1], 0))
    means = middle + ring @ axes[:, ::-1].T
    weights = np.full(MOST, 1 / MOST)
    variance = max(float(size.sum()) / MOST, floor)
    while True:
        means, weights, variance, likelihood = _expectation_maximization(
            vectors, means, weights, variance, floor
        )
        yield means, weights, variance, 3 * len(means) * np.log(len(vectors)) - 2 * likelihood
        if len(means) == 1:
            return
        # the pair whose joining costs the least sum of squares (Ward)
        apart = ((means[:, None] - means) ** 2).sum(axis=2)
        cost = apart * weights[:, None] * weights / (weights[:, None] + weights + 1e-300)
        cost[np.tril_indices(len(means))] = np.inf
        one, other = np.unravel_index(cost.argmin(), cost.shape)
        weight = weights[one] + weights[other] + 1e-300
        joined = (weights[one] * means[one] + weights[other] * means[other]) / weight
        keep = np.delete(np.arange(len(means)), [one, other])
        means = np.concatenate([means[keep], [joined]])
        weights = np.concatenate([weights[keep], [weight]])


def _expectation_maximization(vectors, means, weights, variance, floor):
    """Dempster, Laird and Rubin, J. R. Stat. Soc. B 39, 1, 1977."""
    before = -np.inf
    for _ in range(ITERATIONS):
        density = _log_densities(vectors, means, weights, variance)
        top = density.max(axis=1, keepdims=True)
        total = np.log(np.exp(density - top).sum(axis=1, keepdims=True)) + top
        share = np.exp(density - total)
        likelihood = float(total.sum())
        if likelihood - before < 1e-6 * len(vectors):
            break
        before = likelihood
        amount = share.sum(axis=0)
        weights = amount / len(vectors)
        means = np.where(amount[:, None] > 1e-9, share.T @ vectors / np.maximum(amount, 1e-9)[:, None], means)
        squares = ((vectors[:, None] - means) ** 2).sum(axis=2)
        variance = max(float((share * squares).sum()) / (2 * len(vectors)), floor)
    return means, weights, variance, likelihood


def _log_densities(vectors, means, weights, variance):
    squares = ((vectors[:, None] - means) ** 2).sum(axis=2)
    return np.log(weights + 1e-300) - squares / (2 * variance) - np.log(2 * np.pi * variance)


def _shares(vectors, means, weights, variance):
    density = _log_densities(vectors, means, weights, variance)
    share = np.exp(density - density.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def _apart(means, weights, variance):
    """Whether all components have enough cells and stand apart."""
    gap = np.hypot(*(means[:, None] - means).T)[~np.eye(len(means), dtype=bool)]
    return len(means) == 1 or bool(weights.min() >= SMALLEST and gap.min() > APART * np.sqrt(variance))


def _between(means, weights):
    """Which components are on the way from one to another, shape (K,): cells of walls."""
    wall = np.zeros(len(means), dtype=bool)
    for one, other in combinations(range(len(means)), 2):
        way = means[other] - means[one]
        along = (means - means[one]) @ way / (way @ way)
        off = np.abs((means - means[one]) @ np.array([-way[1], way[0]])) / (way @ way)
        smaller = weights < min(weights[one], weights[other], WALLS)
        wall |= (along > 0) & (along < 1) & (off < ON_THE_WAY) & smaller
    return wall
