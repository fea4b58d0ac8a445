"""What a movie study has in hand: the registered movie, and its columns, followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.displacements import MeanSquare
from stemnet.analysis.stays import Stays
from stemnet.analysis.tracks import Tracks
from stemnet.analysis.transitions import Rate
from stemnet.registration import Average, Registration
from stemnet.studies.measured import Measured


@dataclass(frozen=True)
class Filmed:
    """A movie that was registered.

    Parameters
    ----------
    measured : Measured
    registration : Registration
    average : Average
        After registration.
    plain : Average
        Of the frames as they are.
    seconds : float or None
        From one frame to the next [s]; None where it is not known.
    """

    measured: Measured
    registration: Registration
    average: Average
    plain: Average
    seconds: float | None


@dataclass(frozen=True)
class Followed:
    """Its columns, followed.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions of the columns without drift [px].
    errors : ndarray, shape (N, 2)
        Standard errors [px]; NaN where they are not known.
    tracks : Tracks
    stays : Stays
    kind : ndarray of int, shape (S,)
        Sublattice of each stay's place; -1 off the lattice.
    wobble : MeanSquare
        Of each stay, about its place, an axis.
    step : MeanSquare
        Of each stay, from frame to frame.
    rates : dict of (kind, event) to Rate
    """

    yx: np.ndarray
    errors: np.ndarray
    tracks: Tracks
    stays: Stays
    kind: np.ndarray
    wobble: MeanSquare
    step: MeanSquare
    rates: dict[tuple[int, str], Rate]
