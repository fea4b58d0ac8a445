"""Displacements of columns from their ideal sites."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.specimen import Specimen


def strained(specimen: Specimen, strain: np.ndarray) -> Specimen:
    """Deform homogeneously: r -> r + strain r, with a (2, 2) displacement gradient in (y, x)."""
    return specimen.displaced(specimen.yx @ np.asarray(strain, dtype=float).T)


def smoothly_strained(
    specimen: Specimen, rms_strain: float, wavelength: float, rng: np.random.Generator, waves: int = 3
) -> Specimen:
    """Add a few random long waves of displacement.

    Parameters
    ----------
    specimen : Specimen
    rms_strain : float
        Root mean square of the displacement gradient's elements.
    wavelength : float
        Shortest wavelength [A]; the others are up to three times longer.
    rng : numpy.random.Generator
    waves : int

    Returns
    -------
    Specimen
    """
    direction = rng.uniform(0, 2 * np.pi, waves)
    k = 2 * np.pi / (wavelength * rng.uniform(1, 3, waves))
    k_yx = np.stack([k * np.cos(direction), k * np.sin(direction)], 1)
    phase = rng.uniform(0, 2 * np.pi, (waves, 2))
    # A wave of amplitude u has a gradient of rms u k / sqrt(2) along k, spread over two elements.
    amplitude = rms_strain * 2 / k / np.sqrt(waves)
    waving = np.sin((specimen.yx @ k_yx.T)[..., None] + phase) * amplitude[:, None]
    return specimen.displaced(waving.sum(1))


def polar_shift(specimen: Specimen, sublattice: int, shift: np.ndarray) -> Specimen:
    """Move one sublattice by (2,) or per-column (N, 2) vectors [A]."""
    moved = (specimen.sublattice == sublattice)[:, None]
    return specimen.displaced(np.where(moved, np.broadcast_to(shift, specimen.yx.shape), 0.0))


def thermal_disorder(specimen: Specimen, rms: float, rng: np.random.Generator) -> Specimen:
    """Displace every column at random: static disorder of `rms` [A] an axis."""
    return specimen.displaced(rng.normal(0, rms, specimen.yx.shape))
