"""Into one frame: how the neighbors of one image are turned and numbered to be those of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

ALIKE = 0.02  # of the mean bond: ways to number the neighbors that fit as well as the best, and the least turn decides
MISFIT = 0.15  # of the mean bond, beyond which two images do not show the same environment


def turns_of(tables: Sequence[Descriptors]) -> tuple[np.ndarray, np.ndarray]:
    """How every image is turned into the frame of the first.

    Parameters
    ----------
    tables : sequence of Descriptors
        From `neighbor_vectors`.

    Returns
    -------
    turns : ndarray, shape (images,)
        [rad, from +x towards +y]
    firsts : ndarray of int, shape (images,)
        Number of the neighbor that comes first there.

    Raises
    ------
    StemnetError
        If an image shows another environment.
    """
    means = [np.median(table.complete, axis=0).reshape(-1, 2) for table in tables]
    bond = np.linalg.norm(means[0], axis=1).mean()
    turns, firsts = [], []
    for place, mean in enumerate(means):
        ways = []
        for first in range(len(mean)):
            own = np.roll(mean, -first, axis=0)
            turn = np.angle(np.sum(_complex(means[0]) * _complex(own).conj()))
            misfit = np.abs(_complex(own) * np.exp(1j * turn) - _complex(means[0])).max() / bond
            ways.append((misfit, turn, first))
        least = min(way[0] for way in ways)
        if least > MISFIT:
            raise StemnetError(
                f"The mean neighbors of image {place} are {least:.0%} of a bond off those of the first, however "
                f"turned; {MISFIT:.0%} at most make one environment. Give images of one crystal, each with the "
                "right sampling."
            )
        # by symmetry several ways may fit; the least turn changes the image least
        _, turn, first = min((way for way in ways if way[0] < least + ALIKE), key=lambda way: abs(way[1]))
        turns.append(float(turn))
        firsts.append(first)
    return np.array(turns), np.array(firsts)


def _complex(vectors):
    return vectors[..., 1] + 1j * vectors[..., 0]


def frame_map(k: int, turn: float, first: int) -> np.ndarray:
    """The linear map of a row of k neighbor vectors into another frame, (2 k, 2 k).

    Parameters
    ----------
    k : int
    turn : float
        [rad, from +x towards +y]
    first : int
        Number of the neighbor that comes first.
    """
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.kron(np.roll(np.eye(k), first, axis=1), [[cosine, sine], [-sine, cosine]])
