"""Names of intensity levels: columns of known species are expected to be as bright as Z^n.

All sublattices together say how bright that is, and which exponent n.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from stemnet.analysis.level_mixture import Levels, expected_levels, fitted_mixture
from stemnet.analysis.level_scatter import Scatter, least_scatter
from stemnet.errors import StemnetError
from stemnet.storage.xyz import SYMBOLS

VACANCY = "vacancy"
NUMBER = {symbol: z for z, symbol in enumerate(SYMBOLS.split(), start=1)}
# of Z^n: 1.6 to 2.0 by the angles of the detector, less for thin light columns
EXPONENT, EXPONENT_SPREAD = 1.7, 0.12
EXPONENTS = (1.4, 1.55, 1.7, 1.85, 2.0)
DOUBT = 5.0  # difference of log-likelihood below which two ways to name the levels are both possible
ANOTHER = 0.2  # difference of log brightness beyond which a level has another name


def brightness(name: str, exponent: float = EXPONENT) -> float:
    """Sum of Z^n over the atoms of a formula such as ``S2`` or ``SSe``; 0 of a vacancy.

    Raises
    ------
    StemnetError
        If it is no formula.
    """
    if name == VACANCY:
        return 0.0
    atoms = re.findall(r"([A-Z][a-z]?)([0-9]*)", name)
    if not atoms or "".join(map("".join, atoms)) != name or any(symbol not in NUMBER for symbol, _ in atoms):
        raise StemnetError(f"'{name}' is no formula of a column; write it as Mo, S2 or SSe, or '{VACANCY}'.")
    return float(sum(int(count or 1) * NUMBER[symbol] ** exponent for symbol, count in atoms))


def named_levels(
    parts: Mapping[int, tuple[np.ndarray, np.ndarray]],
    nameless: Mapping[int, Levels],
    named: Mapping[int, tuple[str, ...]],
) -> tuple[dict[int, list[Levels]], float, str]:
    """Levels of sublattices whose species are known.

    Parameters
    ----------
    parts : mapping of int to (ndarray, ndarray), shape (n,) each
        Intensity and its standard error, by sublattice.
    nameless : mapping of int to Levels
        As `nameless_levels` finds them.
    named : mapping of int to tuple of str
        What the columns may be.

    Returns
    -------
    levels : dict of int to list of Levels
        As `expected_levels` finds them.
    exponent : float
    note : str
        Where the names could be others; else empty.

    Raises
    ------
    StemnetError
        If no intensity is above 0, or a name is no formula.
    """
    named = {s: tuple(sorted(set(names), key=brightness, reverse=True)) for s, names in named.items()}
    bright = {
        n: {s: np.array([brightness(name, n) for name in names]) for s, names in named.items()}
        for n in EXPONENTS
    }
    # the level that most columns of a sublattice have is one of its names
    anchors = [
        (nameless[s].level[nameless[s].weight.argmax()], s, k)
        for s, names in named.items()
        for k in range(len(names))
    ]
    tried = []  # log-likelihood, exponent, scale, log brightness of molybdenum: scales of other exponents differ
    for n in EXPONENTS:
        scales = {
            round(float(np.log(level / bright[n][s][k])), 2)
            for level, s, k in anchors
            if bright[n][s][k] * level > 0
        }
        for scale in np.exp(sorted(scales)):
            score = -0.5 * ((n - EXPONENT) / EXPONENT_SPREAD) ** 2
            quick = {}
            for s in named:
                expected = scale * bright[n][s]
                scatter = nameless[s].scatter
                scatter = Scatter(float(np.clip(scatter.relative, 0.01, 0.1)), scatter.floor)
                start = np.full(len(expected), 1 / len(expected))
                quick[s] = fitted_mixture(
                    *parts[s], expected, scatter, start, expected=expected, rounds=8, free_scatter=False
                )
                score += quick[s][3]
            tried.append((score, n, scale, np.log(scale) + n * np.log(42)))
    if not tried:
        raise StemnetError(
            f"No intensity above 0 was found for {', '.join(sum(named.values(), ()))}; species need bright columns. "
            "Use an image with bright columns on a dark ground."
        )
    score, exponent, scale, height = max(tried)
    rival = max((one[0] for one in tried if abs(one[3] - height) > ANOTHER), default=-np.inf)
    note = ""
    if score - rival < DOUBT:
        note = (
            "The intensities fit these species in more than one way, since too few of them are there to say how bright "
            "Z^n is. Name the species of another sublattice too, or only those that can be there."
        )
    order = list(parts)
    limits = least_scatter(
        [parts[s] for s in order], [nameless[s].level for s in order], [nameless[s].variance for s in order]
    )
    found = {
        s: expected_levels(*parts[s], names, scale * bright[exponent][s], limits)
        for s, names in named.items()
    }
    return found, float(exponent), note
