"""What columns tell each other of their widths.

Faint columns cannot tell their width from their height. They are given that
of columns as bright as they are: how wide a column is depends on what it is
made of, and so does how bright it is. One common width for two sublattices
would falsify the intensities of the fainter one.
"""

from __future__ import annotations

import numpy as np
import torch

from stemnet.detection.fit_problem import Fit, Problem

_TIGHTEST = 0.01  # widths are never taken to be more alike than this
_CLEAR = 5.0  # standard errors of the height from which a column has a say,
_ENOUGH = 10  # where there are so many of them
_GROUP = 40  # columns that settle the width of their brightness
_GROUPS = 8


def width_prior(
    problem: Problem, fit: Fit, own: torch.Tensor, force: torch.Tensor, free: torch.Tensor
) -> tuple[float, torch.Tensor, float]:
    """Centers and spread of the log widths, from the widths that the columns themselves ask for.

    Empirical Bayes: the center is a weighted median, of all columns and of
    those of like brightness, the latter drawn to the former by what it is not
    known better; the spread is what the scatter of the best known half
    exceeds its errors by.

    Parameters
    ----------
    problem : Problem
    fit : Fit
    own : Tensor, shape (N, 4, 4)
        Own blocks of the normal matrix, without a prior.
    force : Tensor, shape (N, 4)
        Gradient without a prior.
    free : Tensor, shape (N, 4)

    Returns
    -------
    common : float
    centers : Tensor, shape (N,)
    spread : float
    """
    state = fit.state
    lit = (state.amplitude > 0) & (free[:, 3] > 0) & (own[:, 2, 2] > 0)
    if not lit.any():
        return fit.common, torch.full_like(state.amplitude, fit.common), fit.spread
    # Among many false starts the few decide that stand out of the noise and are columns for certain.
    clear = lit & (state.amplitude**2 * own[:, 2, 2] > _CLEAR**2)
    for better in (clear & problem.certain, clear, lit & problem.certain):
        if better.sum() >= _ENOUGH:
            lit = better
            break
    height, cross, wide = own[lit, 2, 2], own[lit, 2, 3], own[lit, 3, 3]
    information = (wide - cross**2 / height).clamp(min=1e-300)
    ask = (force[lit, 3] - cross / height * force[lit, 2]) / information
    value = state.log_width[lit] + ask.clamp(-0.3, 0.3)
    typical = float(information.median())
    # a few bright columns must not outvote the others
    vote = information.clamp(max=4 * typical)
    common = float(np.clip(_median(value, vote), *problem.log_widths))
    centers = _by_brightness(state.amplitude, lit, value, vote, information, common).clamp(
        *problem.log_widths
    )
    best = information >= typical
    scatter = float((value - centers[lit])[best].abs().median() * 1.4826) ** 2
    scatter -= float((1 / information[best]).median())
    spread = np.clip(max(scatter, 0.0) ** 0.5, min(_TIGHTEST, problem.spread), problem.spread)
    return common, centers, float(spread)


def _by_brightness(
    amplitude: torch.Tensor,
    lit: torch.Tensor,
    value: torch.Tensor,
    vote: torch.Tensor,
    information: torch.Tensor,
    common: float,
) -> torch.Tensor:
    """Log width of columns as bright as each, (N,), linear in the logarithm of brightness between groups."""
    number = min(_GROUPS, len(value) // _GROUP)
    if number < 2:
        return torch.full_like(amplitude, common)
    bright = amplitude[lit].log()
    groups = torch.tensor_split(torch.argsort(bright, stable=True), number)
    center = np.array([_median(value[group], vote[group]) for group in groups])
    # a median is a quarter less certain than a mean
    error = np.array([1.57 / float(information[group].sum()) for group in groups])
    known = float(np.average((center - common) ** 2 - error, weights=1 / error))
    share = max(known, 0.0) / (max(known, 0.0) + error)
    place = np.array([float(bright[group].median()) for group in groups])
    every = amplitude.clamp(min=1e-12).log().cpu().numpy()
    return torch.as_tensor(np.interp(every, place, common + share * (center - common))).to(amplitude)


def _median(value: torch.Tensor, vote: torch.Tensor) -> float:
    """Weighted median."""
    ascending, order = torch.sort(value)
    total = torch.cumsum(vote[order], 0)
    return float(ascending[int(torch.searchsorted(total, total[-1:] / 2).clamp(max=len(value) - 1))])
