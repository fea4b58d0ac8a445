"""A halo that the columns of an image share, where no single Gaussian has their shape.

Probes have tails. What all columns have in common is told by the residuals of
the Gaussian fit: each column is given a second Gaussian about the same center,
twice as wide as its own, its height in one proportion to the column's for all
of them. That proportion is the weighted least-squares fit to the whole image,
overlaps included; what a common change of all amplitudes and widths or the
ground explains as well is left to those. More Gaussians, wider and narrower,
were tried: they compete with the ground and with the widths of the columns,
and gain nothing for the positions.
"""

from __future__ import annotations

import torch

from stemnet.detection.column_model import REACH, membership, render
from stemnet.detection.fit_problem import Fit, Problem

RATIO = 2.0  # width of the halo, in that of its column
ROUNDS = 3  # times that it is learned and the columns are fitted with it
_STRIDE = 1.6  # columns give way to the halo only as they are fitted again: steps are that much longer
_LARGEST = 0.3  # of a column's height


def learned(problem: Problem, fit: Fit, pull: torch.Tensor, weight: torch.Tensor) -> float:
    """Height of the halo in parts of each column's amplitude.

    Parameters
    ----------
    problem : Problem
    fit : Fit
        Converged, with the halo that it was fitted with.
    pull, weight : Tensor, shape (tiles, T, T)
        Its residuals over their variance, and the inverse variance.
    """
    # the halo, and what may stand for it: amplitudes, widths, a level
    images = [_widened(problem, fit, ratio) for ratio in (RATIO, 1.0, 1.01)] + [problem.mask.float()]
    design = torch.stack([image.reshape(-1) for image in images]).double()
    matrix = (design * weight.reshape(-1)) @ design.T
    matrix += torch.diag(1e-6 * matrix.diagonal() + 1e-12)
    step = float(torch.linalg.solve(matrix, design @ pull.reshape(-1).double())[0])
    return min(max(fit.halo + _STRIDE * step, 0.0), _LARGEST)


def halos(problem: Problem, fit: Fit, height: float) -> torch.Tensor:
    """Light of the halos, (tiles, T, T)."""
    return height * _widened(problem, fit, RATIO)


def _widened(problem: Problem, fit: Fit, ratio: float) -> torch.Tensor:
    """The columns `ratio` times as wide as they are."""
    state, width = fit.state, ratio * fit.state.width
    where = membership(problem.tiles, state.yx, REACH * width)
    return render(where, state.yx, state.amplitude, width)
