"""Whether displacements are a polarization: held against their error bars, their neighbors and mistilt.

Displacements are compared two cells apart and across the scan lines: such cells
share neither a column nor a line, so neither errors of positions nor jitter of
lines makes them agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from stemnet.descriptors.agreement import neighbor_agreement, row_agreement
from stemnet.descriptors.field_gradients import fitted_plane
from stemnet.descriptors.polarization import Polarization, frames_apart
from stemnet.errors import StemnetError

FEWEST_ROWS = 5  # of cells across the scan lines; fewer do not tell scatter from agreement
CHANCE = 5e-3  # what chance does as often as this is no evidence
BENT = 0.35  # of the uniform part, by which mistilt may vary over a bent foil before it is looked at twice
CREASED = 0.2  # of the variance of a plane, left about it: a wall leaves a third, a bent foil its scatter
TOLD = 0.25  # share of the variance that is jitter of scan lines, from which it is told of
SHARED = 0.1  # share of the variance that cells two apart must have in common to be called domains


@dataclass(frozen=True)
class PolarVerdict:
    """Whether displacements are a polarization, and why.

    Parameters
    ----------
    kind : str
        ``"none"``, ``"disordered"``, ``"uniform"``, ``"domains"``, or ``"antipolar"``.
    sentence : str
        The same in words and numbers.
    cells : int
        That were judged.
    scatter, error, scatter_chance : float
        Root mean square per axis without the uniform part; that of the error bars
        [px]; the probability of this scatter if nothing but the errors makes it.
    shared, shared_chance : float
        Share of that variance which cells two apart have in common;
        its probability among cells that know nothing of each other.
    uniform : ndarray, shape (2,)
        Mean displacement [px].
    uniform_share, uniform_chance : float
        Its share of the mean square; its probability where the true mean is nil.
    jitter : float
        Share of the scatter's variance that steps from one scan line to the next, as their jitter makes it.
    """

    kind: str
    sentence: str
    cells: int
    scatter: float
    error: float
    scatter_chance: float
    shared: float
    shared_chance: float
    uniform: np.ndarray
    uniform_share: float
    uniform_chance: float
    jitter: float


def polar_verdict(found: Polarization) -> PolarVerdict:
    """Say whether displacements are a polarization.

    The uniform part is taken off before, and the plane that mistilt of a bent
    foil makes of it. The scatter is held against the error bars by a chi-square
    whose degrees of freedom allow for shared columns (Satterthwaite, Biometrics
    Bull. 2, 110, 1946).

    Parameters
    ----------
    found : Polarization
        Cells without error bars are left out; what was taken off as its reference is not judged.

    Raises
    ------
    StemnetError
        If there are no error bars, or fewer than five rows of cells.
    """
    rows = np.nonzero(found.valid & (found.errors > 0).all(axis=1))[0]
    vectors, errors = found.vectors[rows], found.errors[rows]
    if not len(rows):
        raise StemnetError(
            "The columns carry no standard errors (sigma_y, sigma_x), which displacements are judged against. "
            "Pass position_error=<px>, such as 0.05."
        )
    place = frames_apart(found.yx, found.frame)[rows]
    edge = np.sqrt(np.abs(np.linalg.det(found.lattice.vectors)))
    line = np.unique(np.floor(place[:, 0] / edge), return_inverse=True)[1]
    count = int(line.max()) + 1
    if count < FEWEST_ROWS:
        raise StemnetError(
            f"The polar cells fill {count} rows across the scan lines; {FEWEST_ROWS} are needed to tell agreement from "
            "chance. Take a larger part of the image."
        )
    uniform = vectors.mean(axis=0)
    plane = fitted_plane(found.yx[rows], vectors, np.ones(len(rows), dtype=bool))
    rest, taken = vectors - plane, 6
    slope = ((plane - uniform) ** 2).sum(axis=1).mean()
    left = (rest**2).sum(axis=1).mean() - (errors**2).sum(axis=1).mean()
    if slope > BENT**2 * (uniform @ uniform) and left > CREASED * slope:
        # A wall across the frame is no plane, and less one would make the cells beside it disagree.
        rest, taken = vectors - uniform, 2
    shared, shared_chance = row_agreement(place, rest, errors, found.lattice, line)
    scatter_chance = _scatter_chance(found, rows, rest, taken)
    sums = np.stack([np.bincount(line, rest[:, axis]) for axis in (0, 1)])
    variance = (
        np.maximum((sums**2).sum(axis=1) * count / (count - 1), (errors**2).sum(axis=0)) / len(rows) ** 2
    )
    # rows of cells are what is independent: the degrees of freedom are theirs
    uniform_chance = float(stats.f.sf((uniform**2 / variance).sum() / 2, 2, count - 2))
    kind = "disordered" if scatter_chance < CHANCE else "none"
    if shared > SHARED and shared_chance < CHANCE:
        # two cells apart, what alternates agrees as well
        kind = "antipolar" if neighbor_agreement(place, rest, found.lattice) < -SHARED else "domains"
    size, spread = float(uniform @ uniform), float((rest**2).sum(axis=1).mean())
    beyond = spread - float((errors**2).sum(axis=1).mean())
    # what varies by little about a shift of all is a bent foil, what scatters by more than it is disorder
    if uniform_chance < CHANCE and (
        (kind == "domains" and spread < BENT**2 * size)
        or kind == "none"
        or (kind == "disordered" and beyond < size)
    ):
        kind = "uniform"
    scatter, error = (float(np.sqrt((v**2).mean())) for v in (rest, errors))
    jitter = _jitter(rest, line)
    share = float((uniform @ uniform) / (vectors**2).sum(axis=1).mean())
    pm = None if found.sampling is None else 100 * found.sampling
    return PolarVerdict(
        kind,
        _sentence(kind, (scatter, error, float(np.hypot(*uniform))), shared, share, pm)
        + (
            f" {jitter:.0%} of that scatter's variance steps from line to line of the scan: jitter."
            if jitter > TOLD
            else ""
        ),
        len(rows),
        scatter,
        error,
        scatter_chance,
        shared,
        shared_chance,
        uniform,
        share,
        uniform_chance,
        jitter,
    )


def _scatter_chance(found, rows, rest, taken):
    """Probability of the scatter about the plane if nothing but the errors of the positions makes it."""
    k = found.cages.shape[1]
    member = np.column_stack([rows, found.cages[rows]])
    weight = np.tile([1.0, *[-1 / k] * k], (len(rows), 1))
    cell = np.repeat(np.arange(len(rows)), k + 1)
    mixing = csr_array((weight.ravel(), (cell, member.ravel())), shape=(len(rows), len(found)))
    total, twice = 0.0, 0.0
    for axis in (0, 1):
        sigma = np.nan_to_num(found.position_errors[:, axis])
        scaled = mixing.multiply(sigma).tocsr().multiply(1 / found.errors[rows, axis][:, None]).tocsr()
        correlation = scaled @ scaled.T
        twice += float((correlation.multiply(correlation)).sum())
        total += float(((rest[:, axis] / found.errors[rows, axis]) ** 2).sum())
    mean = 2.0 * len(rows) - taken
    freedom = mean * 2 * len(rows) / twice
    return float(stats.chi2.sf(total / mean * freedom, freedom))


def _jitter(rest: np.ndarray, line: np.ndarray) -> float:
    """Share of the variance of (n, 2) that successive lines (n,) do not have in common.

    From second differences of the lines' means, in which what varies smoothly from line to line is hardly seen, less
    what scatters along lines.
    """
    count = np.bincount(line)
    step, within = 0.0, 0.0
    for values in rest.T:
        mean = np.bincount(line, values) / count
        along = float(((values - mean[line]) ** 2).sum()) / max(len(rest) - len(count), 1)
        noise = along / count
        # six times the variance of independent lines; by the median, so that a wall, one step, does not count
        bend = float(np.median(np.diff(mean, n=2) ** 2)) / stats.chi2.median(1)
        step += bend / 6 - float(noise.mean())
        within += along
    return float(max(step, 0.0) / (max(step, 0.0) + within)) if within > 0 else 0.0


def _sentence(kind, lengths, shared, share, pm):
    scatter, error, uniform = (f"{v:.3f} px" if pm is None else f"{v * pm:.1f} pm" for v in lengths)
    hint = f"share {shared:.0%}, which so few rows do not prove" if shared > SHARED else "do not agree"
    return {
        "none": f"No polarization above the error bars: the displacements scatter by {scatter}, their errors are "
        f"{error}.",
        "disordered": f"Disordered: the displacements scatter by {scatter} where their errors are {error}, but cells "
        f"two apart {hint}; the uniform part is {uniform}.",
        "uniform": f"A uniform shift of {uniform}, {share:.0%} of the mean square, which mistilt produces as well, and "
        f"a site off the middle of its cage; about it the displacements scatter by {scatter}, their errors are "
        f"{error}.",
        "domains": f"Polar, and not everywhere alike: the displacements vary by {scatter} where their errors are "
        f"{error}, and cells two apart share {shared:.0%} of that; the uniform part is {uniform}.",
        "antipolar": f"Antipolar: the displacements vary by {scatter} where their errors are {error}, and alternate "
        f"from cell to cell; the uniform part is {uniform}.",
    }[kind]
