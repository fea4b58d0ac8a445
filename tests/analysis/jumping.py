"""Particles that jump between given sites, their positions in every frame, and which is which."""

import numpy as np

from stemnet.analysis.tracks import Tracks
from stemnet.columns import Columns

SIDE, SPACING = 400, 20.0


def jumping(odds, frames, particles, *, error=0.2, drift=None, seed=0):
    """Particles that are in equilibrium on sites of their own.

    ``odds`` (S, S) says how likely a particle goes from site to site between two frames. Returns columns, in random
    order, their true tracks, the states (T, P), and positions without drift.
    """
    rng = np.random.default_rng(seed)
    odds = np.asarray(odds, float)
    power = np.linalg.matrix_power(odds, 4096)
    states = np.empty((frames, particles), int)
    states[0] = [rng.choice(len(odds), p=power[0] / power[0].sum()) for _ in range(particles)]
    for k in range(1, frames):
        below = np.cumsum(odds[states[k - 1]], axis=1)
        states[k] = (rng.random(particles)[:, None] > below).sum(axis=1)
    # every particle has a patch of its own, in the middle of a wide field of view
    wide = int(np.ceil(np.sqrt(particles)))
    home = np.stack(np.divmod(np.arange(particles), wide), axis=1) * (len(odds) + 2) * SPACING + SIDE / 4
    offset = np.stack([np.zeros(len(odds)), SPACING * np.arange(len(odds))], axis=1)
    true = home + offset[states]
    frame, particle = (part.ravel() for part in np.indices(states.shape))
    still = true.reshape(-1, 2) + rng.normal(0, error, (states.size, 2))
    moved = still if drift is None else still + drift[frame]
    # a change of place is another stay, numbered from particle to particle
    new = np.vstack([np.ones((1, particles), bool), np.diff(states, axis=0) != 0])
    number = np.cumsum(new.T.ravel()).reshape(particles, frames).T - 1
    order = rng.permutation(states.size)
    sigma = np.full(states.size, error)
    shape = (int(home.max() + (len(odds) + 1) * SPACING + SIDE / 4),) * 2
    columns = Columns(moved[order], shape, fields={"frame": frame[order], "sigma_y": sigma, "sigma_x": sigma})
    tracks = Tracks(particle[order], number.ravel()[order], SPACING, 2 * SPACING)
    return columns, tracks, states, still[order]


def two_states(there, back):
    """Odds of a particle with two sites."""
    return [[1 - there, there], [back, 1 - back]]
