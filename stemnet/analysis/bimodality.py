"""Broken symmetry: scores of a mode that fall in two.

Columns of one chemical environment that are distorted by two different amounts
break its symmetry locally (R. K. Vasudevan et al., arXiv:2006.10001, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.comparison import Row
from stemnet.analysis.two_gaussians import two_gaussians
from stemnet.errors import StemnetError

ENOUGH = 30  # scores that are asked for one peak or two
MARGIN = 10.0  # by which the BIC must fall: very strong evidence (Kass and Raftery, 1995)
APART = 2.0  # Ashman's D of two peaks that are seen as two
LEAST = 0.05  # share of the scores in the smaller peak: fewer are outliers
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Bimodality:
    """Whether values have one peak or two.

    Parameters
    ----------
    two : bool
        Whether all of it speaks for two: the criterion, the bootstrap, the gap and the smaller share.
    bic_difference : float
        Of one Gaussian less that of two: positive for two, NaN where too few values.
    p_value : float
        Share of samples of one Gaussian that gain as much likelihood by a second
        (G. J. McLachlan, J. R. Stat. Soc. C 36, 318, 1987); NaN where it was not asked.
    separation : float
        Ashman's D = |m1 - m2| / sqrt((s1^2 + s2^2) / 2) (K. A. Ashman, C. M. Bird and
        S. E. Zepf, Astron. J. 108, 2348, 1994): above 2 for two peaks with a dip between.
    means, sigmas, weights : ndarray, shape (2,)
        Of the two Gaussians, the lower first [unit of the values].
    values : int
        How many there were.
    verdict : str
        One sentence.
    """

    two: bool
    bic_difference: float
    p_value: float
    separation: float
    means: np.ndarray
    sigmas: np.ndarray
    weights: np.ndarray
    values: int
    verdict: str


def bimodality(scores: np.ndarray, rng: np.random.Generator, *, bootstrap: int = 99) -> Bimodality:
    """Ask whether scores have one peak or two.

    Parameters
    ----------
    scores : ndarray, shape (N,)
        NaN are left out.
    rng : numpy.random.Generator
    bootstrap : int
        Samples of one Gaussian; 0 leaves the test out.

    Returns
    -------
    Bimodality
        With a verdict instead of numbers for fewer than thirty scores, or equal ones.
        A flat distribution between two edges counts as two.

    Raises
    ------
    StemnetError
        If the scores are not one number per column.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise StemnetError(
            f"Scores of shape {values.shape} were given; bimodality is asked of one mode, shape (N,). Choose a mode."
        )
    values = values[np.isfinite(values)]
    spread = values.std() if len(values) else 0.0
    if len(values) < ENOUGH or not spread > 1e-9 * np.abs(values).max(initial=1e-300):
        nothing = np.full(2, np.nan)
        what = "scores are" if len(values) < ENOUGH else "equal scores are"
        verdict = (
            f"{len(values)} {what} too few to tell one peak from two; {ENOUGH} different ones are needed. "
            "Use a larger field of view, or put environments together."
        )
        return Bimodality(False, np.nan, np.nan, np.nan, nothing, nothing, nothing, len(values), verdict)
    gain, means, sigmas, weights = (one[0] for one in two_gaussians(values[None]))
    difference = gain - 3 * np.log(len(values))
    separation = float((means[1] - means[0]) / np.sqrt((sigmas**2).mean()))
    clear = difference > MARGIN and separation > APART and weights.min() > LEAST
    p_value = float("nan")
    if bootstrap:
        null = two_gaussians(rng.standard_normal((bootstrap, len(values))))[0]
        p_value = float((1 + np.sum(null >= gain)) / (1 + bootstrap))
        clear = clear and p_value <= SIGNIFICANT
    verdict = (
        f"{'Two peaks' if clear else 'No two peaks'}: BIC falls by {difference:.1f} ({MARGIN:g} needed), "
        f"D = {separation:.2f} ({APART:g} needed), smaller share {weights.min():.0%} ({LEAST:.0%} needed)"
        + (f", p = {p_value:.3f}." if bootstrap else ".")
    )
    return Bimodality(
        bool(clear),
        float(difference),
        p_value,
        separation,
        means,
        sigmas,
        weights,
        len(values),
        verdict,
    )


def bimodality_by_group(
    scores: np.ndarray, group: np.ndarray, name: str, rng: np.random.Generator, *, bootstrap: int = 99
) -> list[Row]:
    """Ask it of every environment by itself, such as at a fixed number of unlike neighbors.

    Parameters
    ----------
    scores, group : ndarray, shape (N,)
        NaN scores, and NaN and negative groups, are left out.
    name : str
        Of the group in the table.
    rng : numpy.random.Generator
    bootstrap : int

    Returns
    -------
    list of dict
        The group; ``columns``; ``two`` (0 or 1); ``bic_difference``; ``p_value``;
        ``separation``; ``mean_low``, ``mean_high``; ``weight_high``; ``verdict``.

    Raises
    ------
    StemnetError
        If scores and groups differ in length.
    """
    scores, group = np.asarray(scores, float), np.asarray(group, float)
    if scores.shape != group.shape:
        raise StemnetError(
            f"{scores.shape} scores came with {group.shape} numbers of their environments; give one per column."
        )
    table: list[Row] = []
    for value in np.unique(group[np.isfinite(group) & (group >= 0)]):
        found = bimodality(scores[group == value], rng, bootstrap=bootstrap)
        table.append(
            {
                name: float(value),
                "columns": found.values,
                "two": int(found.two),
                "bic_difference": found.bic_difference,
                "p_value": found.p_value,
                "separation": found.separation,
                "mean_low": float(found.means[0]),
                "mean_high": float(found.means[1]),
                "weight_high": float(found.weights[1]),
                "verdict": found.verdict,
            }
        )
    return table
