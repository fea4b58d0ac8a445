"""SrTiO3 with tilted octahedra and known truth, for the tests of tilt and of the doubling of the cell."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import strained
from stemnet.simulation.distortions.elastic import randomly_strained
from stemnet.simulation.distortions.tilts import tilted_octahedra
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Step
from stemnet.simulation.specimen import rotation

SAMPLING, SIGMA, TURN, A = 0.12, 0.1, 0.05, 3.905
GROWN = Lattice(A / SAMPLING * rotation(TURN).T, 4, 1.0)
ANNULAR_DARK, BRIGHT_FIELD = {"Sr": 485, "TiO": 225, "O": 34}, {"Sr": 13, "TiO": 13, "O": 4}
# the share of a tilt, of which a boundary turns the sign
ANTIPHASE = Step(1.0, -0.8, (0.0, 1.0), (30.0, 30.0), 1.0)


@cache
def untilted():
    specimen = grow(perovskite(), (60.0, 60.0), orientation=TURN, thickness=117.0, margin=0.0)
    specimen = strained(specimen, np.array([[0.01, 0.01], [-0.004, -0.015]]), (30.0, 30.0))
    return randomly_strained(specimen, 0.004, 60.0, np.random.default_rng(3))


def tilted(
    glazer="a0a0c+", angles=(0.0, 0.0, 0.11), *, brightness=BRIGHT_FIELD, sigma=SIGMA, seed=0, **options
):
    """Strained SrTiO3 with tilted octahedra at its true places plus noise, with all that was planted."""
    specimen = tilted_octahedra(untilted(), glazer, angles, **options)
    rng = np.random.default_rng(seed)
    intensity = np.array([brightness[s] for s in specimen.species]) * rng.lognormal(0, 0.05, len(specimen))
    noise = rng.normal(0, sigma, specimen.yx.shape)
    errors = {f"sigma_{axis}": np.full(len(specimen), max(sigma, 1e-3)) for axis in "yx"}
    fields = {**specimen.planted, "site": specimen.index[:, 2], "intensity": intensity, **errors}
    return Columns(specimen.yx / SAMPLING + noise, (500, 500), SAMPLING, fields)


def opposite_sides(columns, values):
    """Values of the columns that move, at either side of `ANTIPHASE`."""
    moving = np.isfinite(values) & np.isin(columns["site"], (1, 2, 3))
    x = columns.yx[:, 1] * SAMPLING
    return values[moving & (x < 22)], values[moving & (x > 38)]
