"""Strained SrTiO3 with known truth, for the tests of strain and of Vegard's law."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.growth import grow
from stemnet.simulation.specimen import rotation

SAMPLING, SIGMA, TURN = 0.12, 0.03, 0.05
GROWN = Lattice(3.905 / SAMPLING * rotation(TURN).T, 4, 1.0)
GRADIENT = np.array([[0.02, 0.01], [-0.004, -0.015]])
MIDDLE = (30.0, 30.0)


@cache
def unstrained():
    return grow(perovskite(), (60.0, 60.0), orientation=TURN, margin=0.0)


def srtio3(deform, *, sigma=SIGMA, seed=0, errors=True):
    """Columns of SrTiO3, oxygen among them, at their true places plus noise of a known size; planted strain (N, 5)."""
    specimen = with_strain(deform(unstrained()))
    noise = np.random.default_rng(seed).normal(0, sigma, specimen.yx.shape)
    fields = {f"sigma_{axis}": np.full(len(specimen), sigma) for axis in "yx"} if errors else {}
    columns = Columns(specimen.yx / SAMPLING + noise, (500, 500), SAMPLING, fields)
    return columns, planted(specimen.planted), specimen


def planted(fields):
    yy, xx, yx, turn = (fields[name] for name in ("strain_yy", "strain_xx", "strain_yx", "rotation_rad"))
    return np.stack([yy, xx, yx, turn, yy + xx], axis=-1)


def homogeneous(specimen):
    return strained(specimen, GRADIENT, MIDDLE)
