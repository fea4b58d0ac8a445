"""What a thick column contributes: channeling electrons leave it on the way down.

A phenomenological model: the probe that travels along a column scatters to
high angles in proportion to its intensity there, which falls as exp(-mu z)
below the entrance surface. Heavy columns scatter more and lose it sooner. It
leaves out the beating of the channeling intensity with depth and the transfer
of intensity to neighboring columns, for which a multislice calculation is
needed; mu is to be taken from one, or from a measured thickness series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import ATOMIC_NUMBERS, composition
from stemnet.simulation.specimen import Specimen

Decay = float | Mapping[str, float]
"""mu [1/A] of all columns, or by column or heaviest element."""


def brightness(mu: np.ndarray | float, thickness: np.ndarray | float) -> np.ndarray:
    """The thickness that counts: (1 - exp(-mu t)) / mu [A], t where nothing is lost."""
    loss, thickness = np.broadcast_arrays(np.asarray(mu, dtype=float), np.asarray(thickness, dtype=float))
    lossless = loss * thickness < 1e-12
    return np.where(lossless, thickness, -np.expm1(-loss * thickness) / np.where(lossless, 1.0, loss))


def mean_depth(mu: np.ndarray | float, thickness: np.ndarray | float) -> np.ndarray:
    """The mean depth of what counts, 1 / mu - t / (exp(mu t) - 1) [A]; t / 2 where nothing is lost."""
    loss, thickness = np.broadcast_arrays(np.asarray(mu, dtype=float), np.asarray(thickness, dtype=float))
    x = loss * thickness
    small = x < 1e-2
    safe = np.where(small, 1.0, x)
    # The two terms cancel at small x: three terms of the series then.
    return thickness * np.where(
        small, 0.5 - x / 12 + x**3 / 720, 1 / safe - 1 / np.expm1(np.minimum(safe, 700))
    )


def depth_variance(mu: np.ndarray | float, thickness: np.ndarray | float) -> np.ndarray:
    """The variance of that depth, 1 / mu^2 - t^2 exp(mu t) / (exp(mu t) - 1)^2 [A^2]; t^2 / 12 without loss."""
    loss, thickness = np.broadcast_arrays(np.asarray(mu, dtype=float), np.asarray(thickness, dtype=float))
    x = loss * thickness
    small = x < 5e-2
    safe = np.minimum(np.where(small, 1.0, x), 700)
    series = 1 / 12 - x**2 / 240 + x**4 / 6048
    return thickness**2 * np.where(
        small, series, 1 / np.where(small, 1, x) ** 2 - 1 / (4 * np.sinh(safe / 2) ** 2)
    )


def decay_by_number(strength: float, exponent: float = 1.0, reference: str = "Au") -> dict[str, float]:
    """mu of every element: strength [1/A] for a reference element, times (Z / Z of the reference)^exponent."""
    heavy = ATOMIC_NUMBERS[reference]
    return {element: strength * (number / heavy) ** exponent for element, number in ATOMIC_NUMBERS.items()}


def decay_of(specimen: Specimen, decay: Decay) -> np.ndarray:
    """mu of every column, (N,) [1/A].

    Raises
    ------
    StemnetError
        If it is missing for a column, or negative.
    """
    names, index = np.unique(specimen.species, return_inverse=True)
    values = np.array([_decay(decay, str(name)) for name in names])
    if (values < 0).any():
        raise StemnetError(f"A decay of {values.min():g} per A was given; it may be 0 or positive.")
    return values[index] if len(names) else np.zeros(0)


def _decay(decay: Decay, name: str) -> float:
    if not isinstance(decay, Mapping):
        return float(decay)
    if name in decay:
        return float(decay[name])
    heaviest = max(composition(name), key=ATOMIC_NUMBERS.__getitem__)
    if heaviest not in decay:
        raise StemnetError(
            f"No decay is given for the column {name}; give one for {name} or for {heaviest}, its heaviest element."
        )
    return float(decay[heaviest])


def attenuated(specimen: Specimen, decay: Decay, period: float) -> Specimen:
    """Turn the thickness of columns into that which counts.

    Parameters
    ----------
    specimen : Specimen
    decay : float or mapping of str to float
        mu [1/A], by column or by heaviest element; `decay_by_number` makes one.
    period : float
        Of the crystal along the beam [A].

    Returns
    -------
    Specimen
        With the effective number of repeats as its `thickness`, and the real
        one planted as ``repeats``.

    Raises
    ------
    StemnetError
        If a decay is missing or the period is not positive.
    """
    if not period > 0:
        raise StemnetError(f"A period of {period:g} A along the beam was given; it must be positive.")
    counted = brightness(decay_of(specimen, decay), specimen.thickness * period) / period
    return replace(specimen.with_planted(repeats=specimen.thickness), thickness=counted)
