"""Short-range order of an alloy: whether its species gather or alternate, shell by shell.

Pairs are counted with the probability that columns are of a species, and the
errors come from the image itself: blocks of it drawn again, and permutations of
the species over its columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.composition import checked
from stemnet.descriptors.shells import Shells

BLOCK = 4.0  # nearest distances that a block of the bootstrap is wide: longer than the order, shorter than the image
ENOUGH_BLOCKS = 12  # below, their spread says little


@dataclass(frozen=True)
class ShortRangeOrder:
    """Warren-Cowley parameters of K shells: 0 random, above where like columns gather, below where they alternate.

    Parameters
    ----------
    alpha : ndarray, shape (K,)
        NaN where there are no pairs, or only one species.
    sigma : ndarray, shape (K,)
        Standard error, from blocks of the image drawn again; no less than `random_sigma`.
    random_sigma : ndarray, shape (K,)
        Spread of alpha about 0 over permutations of the species: that of a random alloy.
    p_value : ndarray, shape (K,)
        Share of the permutations with an alpha as far from 0, both ways.
    distance : ndarray, shape (K,)
        Mean length of the pairs [px].
    pairs : ndarray of int, shape (K,)
        That were counted, each once.
    verdict : str
        One sentence.
    """

    alpha: np.ndarray
    sigma: np.ndarray
    random_sigma: np.ndarray
    p_value: np.ndarray
    distance: np.ndarray
    pairs: np.ndarray
    verdict: str


def short_range_order(
    columns: Columns,
    probability: np.ndarray,
    shells: Shells,
    *,
    other: np.ndarray | None = None,
    resamplings: int = 400,
    random_state: int = 0,
) -> ShortRangeOrder:
    """Warren-Cowley parameters alpha = 1 - P(A, B) / (c_A c_B) (J. M. Cowley, Physical Review 77, 669, 1950).

    P(A, B) is how often a pair of the shell is A first and B second. Its value
    in a random alloy, c_A c_B, is that of permuting the species over the
    columns, so that alpha is 0 in the mean however few the columns. Columns in
    doubt make alpha smaller by a factor that calibrated probabilities know,
    which is divided out.

    Parameters
    ----------
    columns : Columns
    probability : ndarray, shape (N,)
        That a column is A; NaN where unknown.
    shells : Shells
    other : ndarray, shape (N,), optional
        That it is B; by default B is all that is not A.
    resamplings : int
        Blocks drawn again (H. R. Kuensch, Ann. Stat. 17, 1217, 1989), and permutations.
    random_state : int

    Returns
    -------
    ShortRangeOrder
    """
    a = checked(probability, len(columns))
    b = 1 - a if other is None else checked(other, len(columns))
    rows = np.flatnonzero(shells.member & np.isfinite(a) & np.isfinite(b))
    place = np.full(len(columns), -1)
    place[rows] = np.arange(len(rows))
    first, second, number = place[shells.first], place[shells.second], shells.number
    there = (first >= 0) & (second >= 0)
    first, second, number = first[there], second[there], number[there]
    a, b, count, rng = a[rows], b[rows], len(shells), np.random.default_rng(random_state)
    if a.sum() > b.sum():
        # pairs belong to the block of their first column: to that of the rarer one, with all others of its shell
        a, b = b, a
    amount = np.bincount(number, minlength=count)
    # where columns are in doubt their probabilities follow the species by less, and so do those of pairs
    sureness = _sureness(a) * _sureness(b)

    def alphas(a, b):
        mixed = np.bincount(number, a[first] * b[second], count)
        return _alpha(mixed, amount, a.sum(), b.sum(), (a * b).sum(), len(a)) / sureness

    alpha = alphas(a, b)
    orders = [rng.permutation(len(a)) for _ in range(resamplings)]
    null = np.array([alphas(a[order], b[order]) for order in orders])
    p_value = (1 + (np.abs(null) >= np.abs(alpha) - 1e-12).sum(axis=0)) / (1 + resamplings)
    sums = _block_sums(columns, rows, a, b, first, second, number, shells)
    blocks = len(sums)
    drawn = rng.multinomial(blocks, np.full(blocks, 1 / blocks), resamplings) @ sums
    again = np.array([_alpha(one[:count], one[count : 2 * count], *one[2 * count :]) for one in drawn])
    known = np.isfinite(alpha)
    # few columns of a species make the blocks too alike, and their error too small
    spread = null.std(axis=0)
    sigma = np.maximum(again.std(axis=0, ddof=1) / sureness, spread)
    sigma, spread, p_value = (np.where(known, x, np.nan) for x in (sigma, spread, p_value))
    verdict = _about(alpha, sigma, p_value, len(a), blocks)
    return ShortRangeOrder(alpha, sigma, spread, p_value, shells.distance, amount // 2, verdict)


def _alpha(mixed, amount, total_a, total_b, both, n):
    """1 - P(A, B) over its mean under permutation, by shell; NaN without pairs or with one species."""
    random = (total_a * total_b - both) / max(n * (n - 1), 1)
    possible = (amount > 0) & (random > 1e-9)
    share = np.divide(mixed, amount, out=np.full(len(mixed), np.nan), where=possible)
    return 1 - share / max(random, 1e-9)


def _sureness(p):
    """Slope of calibrated probabilities against what they are of: 1 where all are 0 or 1, 0 where they know nothing."""
    spread = p.mean() * (1 - p.mean())
    return max(float(p.var() / spread), 0.05) if spread > 1e-12 else 1.0


def _block_sums(columns, rows, a, b, first, second, number, shells):
    """What alpha is made of, block by block, (blocks, 2 K + 4): a block is as wide as four nearest distances."""
    frame = np.asarray(columns["frame"] if "frame" in columns else np.zeros(len(columns)), dtype=int)[rows]
    yx = columns.yx[rows]
    side = BLOCK * (shells.distance[0] if np.isfinite(shells.distance[0]) else max(columns.shape))
    cell = np.column_stack([frame, np.floor((yx - yx.min(axis=0)) / side)])
    _, block = np.unique(cell, axis=0, return_inverse=True)
    block, blocks, count = block.ravel(), block.max() + 1, len(shells)
    pair = block[first] * count + number
    mixed, amount = (
        np.bincount(pair, weights, blocks * count).reshape(blocks, count)
        for weights in (a[first] * b[second], np.ones(len(first)))
    )
    single = [np.bincount(block, weights, blocks) for weights in (a, b, a * b, np.ones(len(a)))]
    return np.column_stack([mixed, amount, *single])


def _about(alpha, sigma, p_value, columns, blocks):
    if not np.isfinite(alpha).any():
        return (
            f"{columns} columns of one species, or without a pair, say nothing on order; two species and their "
            "neighbors are needed. Use an alloy or a larger field of view."
        )
    gathered = "like columns gather" if alpha[0] > 0 else "unlike columns alternate"
    order = "random" if p_value[0] > 0.05 else gathered
    text = f"First shell {alpha[0]:.3f} +- {sigma[0]:.3f} (p = {p_value[0]:.3f}): {order}."
    few = f" The error comes from {blocks} blocks, {ENOUGH_BLOCKS} are needed; use a larger field of view."
    return text + few if blocks < ENOUGH_BLOCKS else text
