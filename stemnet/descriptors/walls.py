"""Walls between polar domains: their place, width, turn and charge.

A wall is where the polarization passes from that of one domain to that of the
next, along tanh, the profile of an order parameter between two of its values
(Zhirnov, Sov. Phys. JETP 8, 822, 1959).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from stemnet.descriptors.domains import Domains
from stemnet.errors import StemnetError

AROUND = 8  # cells around one of a wall that must not be of a third domain
WRONG_SIDE = 0.1  # share of the cells that may lie on the other domain's side of a straight wall


@dataclass(frozen=True)
class DomainWall:
    """A straight wall: (before + after) / 2 + (after - before) / 2 tanh(2 s / width), s the distance beyond it.

    Parameters
    ----------
    through : ndarray, shape (2,)
        A point of the wall, in the middle of the cells along it [px].
    normal : ndarray, shape (2,)
        From the first into the second domain, of unit length.
    position_error : float
        Standard error of the wall's place along its normal, at `through` [px].
    angle_error : float
        Of the normal's direction [rad].
    width, width_error : float
        Twice the half width of the tanh [px].
    before, after : ndarray, shape (2,)
        Vectors of the two domains, in their unit.
    cells : int
        That were fitted.
    misfit : float
        Reduced chi-square; 1 without errors. Above 1 it widens the errors.
    """

    through: np.ndarray
    normal: np.ndarray
    position_error: float
    angle_error: float
    width: float
    width_error: float
    before: np.ndarray
    after: np.ndarray
    cells: int
    misfit: float

    @property
    def turn(self) -> float:
        """Angle between the vectors of the two domains, 0 to pi [rad]: 180, 109 or 71 degrees in projection."""
        cross = self.before[1] * self.after[0] - self.before[0] * self.after[1]
        return float(abs(np.arctan2(cross, self.before @ self.after)))

    @property
    def charge(self) -> float:
        """Jump of the component along the normal, over the jump of the vectors: 0 where the wall bears no charge."""
        jump = self.after - self.before
        return float(jump @ self.normal / np.hypot(*jump))

    def distance(self, yx: np.ndarray) -> np.ndarray:
        """How far places (N, 2) are beyond the wall, shape (N,) [px]."""
        return (np.asarray(yx) - self.through) @ self.normal


def fit_wall(
    yx: np.ndarray,
    vectors: np.ndarray,
    domains: Domains,
    between: tuple[int, int] = (0, 1),
    *,
    errors: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> DomainWall:
    """Fit a straight wall between two domains, by the component that changes across it.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    vectors : ndarray, shape (N, 2)
        (y, x), in any unit.
    domains : Domains
        From `find_domains`.
    between : tuple of int
        The first and the second domain. Cells beside a third one are left out.
    errors : ndarray, shape (N, 2), optional
        Standard errors of the vectors; otherwise the scatter about the fit says them.
    rows : ndarray of bool, shape (N,), optional
        Cells to use: those around one wall, where there are several.

    Returns
    -------
    DomainWall
        Where the lattice bends, as on a ferroelastic wall, the middle of a cage
        is not the mean of its corners; place and width err by some pixels more.

    Raises
    ------
    StemnetError
        If there is one domain only, too few cells of either, or no straight line between them.
    """
    first, second = between
    if len(domains) < 2 or not (0 <= first < len(domains) and 0 <= second < len(domains) and first != second):
        raise StemnetError(
            f"A wall between domains {first} and {second} was asked for, but the number of domains is {len(domains)}; "
            "a wall needs two that differ. Choose two that are there, or a part of the image that has both."
        )
    if errors is not None:  # a cell whose error nobody knows has no weight
        vectors = np.where((errors > 0).all(axis=1, keepdims=True), vectors, np.nan)
    used = _beside(yx, vectors, domains, between, rows)
    label, place = domains.label[used], yx[used]
    if min((label == first).sum(), (label == second).sum()) < 5:
        raise StemnetError(
            f"Away from other domains, domain {first} has {(label == first).sum()} cells and domain {second} has "
            f"{(label == second).sum()}; a wall needs five of either. Choose others or a larger part of the image."
        )
    through, normal = _line_between(place, label == first, label == second)
    side = (place - through) @ normal
    wrong = float(np.where(side < 0, label == second, label == first)[label >= 0].mean())
    if wrong > WRONG_SIDE:
        raise StemnetError(
            f"No straight line parts domains {first} and {second}: {wrong:.0%} of the cells lie on the wrong side. "
            "Pass rows= with the cells around one wall."
        )
    before, after = (vectors[used][label == one].mean(axis=0) for one in (first, second))
    axis = (after - before) / np.hypot(*(after - before))
    value = vectors[used] @ axis
    sigma = np.ones(len(used)) if errors is None else np.sqrt((errors[used] ** 2) @ axis**2)
    spacing = float(np.median(cKDTree(place).query(place, k=2)[0][:, 1]))
    angle = np.arctan2(*normal)

    def off(parameters):
        turn, shift, width, low, high = parameters
        along = (place - through) @ np.array([np.sin(angle + turn), np.cos(angle + turn)]) - shift
        return ((low + high) / 2 + (high - low) / 2 * np.tanh(2 * along / width) - value) / sigma

    start = [0.0, 0.0, 1.5 * spacing, before @ axis, after @ axis]
    lowest = [-0.7, -np.inf, 0.05 * spacing, -np.inf, -np.inf]
    scale = [0.1, spacing, spacing, *[abs((after - before) @ axis)] * 2]
    fit = least_squares(off, start, bounds=(lowest, [0.7, *[np.inf] * 4]), x_scale=scale)
    freedom = max(len(used) - 5, 1)
    scatter = 2 * fit.cost / freedom
    factor = scatter if errors is None else max(scatter, 1.0)
    information = fit.jac.T @ fit.jac
    error = np.sqrt(np.diag(np.linalg.pinv(information)) * factor)
    # a wall between two rows of cells that no cell lies in: neither its place nor its width are seen
    error[np.diag(information) * np.square(scale) < 1e-9 * len(used)] = np.inf
    turn, shift, width, low, high = fit.x
    normal = np.array([np.sin(angle + turn), np.cos(angle + turn)])
    across = np.array([axis[1], -axis[0]])
    return DomainWall(
        through + shift * normal,
        normal,
        float(error[1]),
        float(error[0]),
        float(width),
        float(error[2]),
        low * axis + (before @ across) * across,
        high * axis + (after @ across) * across,
        len(used),
        1.0 if errors is None else float(scatter),
    )


def _beside(yx, vectors, domains, between, rows):
    """Rows of the two domains and of the wall, without those next to another domain."""
    fine = np.isfinite(vectors).all(axis=1) & (True if rows is None else np.asarray(rows, dtype=bool))
    fine = np.nonzero(fine)[0]
    _, near = cKDTree(yx[fine]).query(yx[fine], k=min(AROUND + 1, len(fine)))
    third = ~np.isin(domains.label[fine], [-1, *between])
    return fine[~third[near].any(axis=1)]


def _line_between(place, first, second):
    """A point and the normal (into the second) of the line that parts two sets of places best."""
    sign = np.where(second, 1.0, -1.0)[first | second]
    known = place[first | second]
    # of either set the same weight, or the larger one would push the line away
    weight = np.where(sign > 0, 1 / second.sum(), 1 / first.sum())
    middle = known.mean(axis=0)
    design = np.column_stack([np.ones(len(known)), known - middle])
    root = np.sqrt(weight)[:, None]
    _, *slope = np.linalg.lstsq(design * root, sign * root[:, 0], rcond=None)[0]
    normal = np.array(slope) / np.hypot(*slope)
    # along the normal, where fewest lie on the wrong side
    depth = (known - middle) @ normal
    order = np.argsort(depth, kind="stable")
    wrong = np.concatenate([[0], np.cumsum(sign[order] > 0) - np.cumsum(sign[order] < 0)])
    edges = np.concatenate([[depth.min()], (depth[order][1:] + depth[order][:-1]) / 2, [depth.max()]])
    point = middle + np.median(edges[wrong == wrong.min()]) * normal
    # the cells nearest to the line say where along it the middle of the wall is
    off = np.abs((known - point) @ normal)
    along = np.array([-normal[1], normal[0]])
    nearest = off <= np.quantile(off, 0.2)
    return point + ((known[nearest] - point) @ along).mean() * along, normal
