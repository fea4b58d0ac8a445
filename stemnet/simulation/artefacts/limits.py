"""What the numbers of an artefact may be."""

from __future__ import annotations

import math
from numbers import Real

from stemnet.errors import StemnetError

ANY, POSITIVE = (-math.inf, math.inf), (0.0, math.inf)


def held(artefact: object, **limits: tuple[float, float]) -> None:
    """Refuse numbers outside their limits, and what is no number.

    Parameters
    ----------
    artefact : object
        With the attributes that are named.
    **limits : tuple of float
        Smallest and largest value; infinite where there is none.

    Raises
    ------
    StemnetError
        If a number is outside its limits.
    """
    for name, (low, high) in limits.items():
        value = getattr(artefact, name)
        if isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high:
            continue
        if math.isfinite(low) and math.isfinite(high):
            allowed = f"a number from {low:g} to {high:g}"
        else:
            allowed = f"a number of {low:g} or more" if math.isfinite(low) else "a number"
        raise StemnetError(f"{type(artefact).__name__} was asked for with {name}={value!r}; give {allowed}.")
