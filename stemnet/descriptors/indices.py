"""Which cell of the lattice each column belongs to, followed from column to column.

Strain and drift carry a column whole cells away from where one straight lattice
would have it, so no index is ever read off the position in the image. Indices
are counted along the differences between near columns, the ones that fit the
lattice best first, and every column is then put to the vote of its neighbors.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice, column_spacing

NEAR = 16  # neighbors that a column is counted from
FAR = 80  # neighbors that are looked at where a gap parts the columns
GATE = 0.3  # a difference fits where it ends within this many column spacings of a site
SWEEPS = 3  # votes; a false count beside a defect is gone after one or two


def lattice_indices(columns: Columns, lattice: Lattice) -> np.ndarray:
    """Count the cells along both lattice vectors.

    Parameters
    ----------
    columns : Columns
        With the field ``sublattice``, and ``frame`` where there are several
        frames.
    lattice : Lattice
        From `find_lattice`.

    Returns
    -------
    ndarray of int, shape (N, 2)
        Cell of each column along a and along b, from 0 at the lowest cell of
        the frame. -1, -1 where the cell is unknown: columns off the lattice, of
        another grain, or cut off from the others by a gap.

    Notes
    -----
    Around a dislocation the count depends on the way, as it does in the
    crystal: the indices then jump by the Burgers vector along a line that ends
    at the core.
    """
    cells = np.full((len(columns), 2), -1)
    label = np.asarray(columns["sublattice"], dtype=int)
    frame = columns["frame"] if "frame" in columns else np.zeros(len(columns), int)
    for number in np.unique(frame):
        rows = np.nonzero((frame == number) & (label >= 0))[0]
        if len(rows) < 3:
            continue
        found, known = _counted(columns.yx[rows], label[rows], lattice)
        if known.any():
            cells[rows[known]] = found[known] - found[known].min(axis=0)
    return cells


def sublattice_offsets(yx: np.ndarray, label: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Place of every sublattice in the cell of the first one, shape (S, 2), fractions of (a, b).

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    label : ndarray of int, shape (N,)
        Sublattices 0 to S - 1; the places of those without a column are NaN.
    vectors : ndarray, shape (2, 2)
        Lattice vectors as rows (y, x) [px].

    Returns
    -------
    ndarray, shape (S, 2)
        From -0.1 to 0.9, so that neither a column at the corner of the cell nor
        one at its middle changes sides by a small error.
    """
    offsets = np.full((label.max() + 1, 2), np.nan)
    present = np.unique(label[label >= 0])
    home = yx[label == present[0]]
    for s in present:
        there = yx[label == s]
        if s == present[0]:
            offsets[s] = 0
            continue
        # from each of them to the few nearest of the first sublattice: their mean is free of the local strain
        _, near = cKDTree(home).query(there, k=min(4, len(home)))
        fraction = (there[:, None] - home[near.reshape(len(there), -1)]) @ np.linalg.inv(vectors)
        turn = np.exp(2j * np.pi * fraction).mean(axis=(0, 1))
        offsets[s] = (np.angle(turn) / (2 * np.pi) + 0.1) % 1 - 0.1
    return offsets


def _counted(yx, label, lattice):
    """Cells (n, 2) from an arbitrary origin, and which of them are known (n,)."""
    offsets = sublattice_offsets(yx, label, lattice.vectors)[label]
    cell = np.linalg.norm(lattice.vectors, axis=1).max()
    gate = GATE * column_spacing(yx)
    *edges, around = _steps(yx, offsets, lattice.vectors, NEAR, 2.5 * cell, gate)
    cells, part = _along_the_best(len(yx), *edges)
    first, second, step, *_ = _steps(yx, offsets, lattice.vectors, FAR, 5 * cell, gate)
    cells, part = _joined(cells, part, first, second, step)
    main = part == np.bincount(part).argmax()
    first, second, step, _ = edges
    both = main[first] & main[second]
    first, second, step = first[both], second[both], step[both]
    for _ in range(SWEEPS):
        voted, agree = _vote(len(yx), first, cells[second] - step)
        change = agree & (voted != cells).any(axis=1) & main
        if not change.any():
            break
        cells[change] = voted[change]
    fits = (cells[second] - cells[first] == step).all(axis=1)
    support = np.bincount(first, fits, len(yx))
    # columns of another grain fit to some of their neighbors by chance, never to half of them
    return cells, main & (support >= 2) & (2 * support >= around)


def _steps(yx, offsets, vectors, count, reach, gate):
    """Pairs of near columns whose difference is a lattice vector.

    Returns the two rows (E,), the vector in whole cells (E, 2) and how far off
    the pair is [px] (E,), every pair in both directions; and how many columns
    were looked at from each (n,), counted in both directions too.
    """
    count = min(count, len(yx) - 1)
    distance, near = cKDTree(yx).query(yx, k=count + 1, distance_upper_bound=reach)
    first = np.repeat(np.arange(len(yx)), count + 1)
    second, distance = near.ravel(), distance.ravel()
    there = np.isfinite(distance) & (second != first)
    first, second = first[there], second[there]
    around = np.bincount(first, minlength=len(yx)) + np.bincount(second, minlength=len(yx))
    fraction = (yx[second] - yx[first]) @ np.linalg.inv(vectors) - (offsets[second] - offsets[first])
    step = np.round(fraction).astype(int)
    away = np.linalg.norm((fraction - step) @ vectors, axis=1)
    fits = away < gate
    first, second, step, away = first[fits], second[fits], step[fits], away[fits]
    rows, others = np.concatenate([first, second]), np.concatenate([second, first])
    return rows, others, np.concatenate([step, -step]), np.concatenate([away, away]), around


def _along_the_best(n, first, second, step, away):
    """Count along the spanning tree of the pairs that fit best: cells (n, 2) and connected part (n,)."""
    code = first * n + second
    _, once = np.unique(code, return_index=True)
    first, second, step, away = first[once], second[once], step[once], away[once]
    graph = coo_array((away + 1e-3, (first, second)), shape=(n, n)).tocsr()
    tree = minimum_spanning_tree(graph)
    tree = tree + tree.T
    amount, part = connected_components(tree, directed=False)
    cells = np.zeros((n, 2), int)
    code = code[once]
    heads = np.unique(part, return_index=True)[1]
    for head in heads[np.bincount(part, minlength=amount) > 1]:
        order, before = breadth_first_order(tree, head, directed=False)
        order = order[1:]
        hop = step[np.searchsorted(code, before[order] * n + order)]
        for row, parent, one in zip(order, before[order], hop, strict=True):
            cells[row] = cells[parent] + one
    return cells, part


def _joined(cells, part, first, second, step):
    """Parts that a gap divides, brought to one count where most of the pairs across it agree on the shift."""
    cells, part = cells.copy(), part.copy()
    refused: set[int] = set()
    while True:
        main = np.bincount(part).argmax()
        across = (part[first] == main) & (part[second] != main) & ~np.isin(part[second], list(refused))
        if not across.any():
            return cells, part
        others, pairs = np.unique(part[second[across]], return_counts=True)
        other = others[pairs.argmax()]
        here = across & (part[second] == other)
        shift = cells[first[here]] + step[here] - cells[second[here]]
        ways, times = np.unique(shift, axis=0, return_counts=True)
        if times.max() >= max(3, 0.6 * here.sum()):
            rows = part == other
            cells[rows] += ways[times.argmax()]
            part[rows] = main
            refused.clear()
        else:
            refused.add(int(other))


def _vote(n, voter, cells):
    """The cell that most neighbors of a column say it is in, (n, 2), and whether it has more than 60 % of them."""
    result, agree = np.zeros((n, 2), int), np.zeros(n, bool)
    if not len(voter):
        return result, agree
    ballots, times = np.unique(np.column_stack([voter, cells]), axis=0, return_counts=True)
    order = np.lexsort((-times, ballots[:, 0]))
    ballots, times = ballots[order], times[order]
    winner = np.unique(ballots[:, 0], return_index=True)[1]
    result[ballots[winner, 0]] = ballots[winner, 1:]
    agree[ballots[winner, 0]] = times[winner] > 0.6 * np.bincount(voter, minlength=n)[ballots[winner, 0]]
    return result, agree
