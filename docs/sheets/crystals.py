"""Every crystal of the library along the axes that it is looked at along."""

from __future__ import annotations

import numpy as np

from sheets.sheet import SIDE, Tile, microscope
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal, crystal_names, structure
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.priors import dosed

MORE_AXES = {
    "Au": ("001", "111"),
    "BaTiO3": ("110",),
    "BiFeO3": ("100",),
    "CeO2": ("001",),
    "GaN": ("001",),
    "LaMnO3": ("110",),
    "MgO": ("110",),
    "PbTiO3": ("001",),
    "Si": ("001", "112"),
    "SrTiO3": ("110", "111"),
    "Ti": ("001",),
    "TiO2": ("110",),
    "W": ("111",),
    "Fe": ("001",),
}
"""Beside the default axis of each."""

LIGHT_SHEETS = ("graphene", "hBN")


def tiles() -> list[Tile]:
    """One a crystal and axis."""
    return [
        _tile(name, axis, number)
        for number, (name, axis) in enumerate(
            (name, axis) for name in crystal_names() for axis in (None, *MORE_AXES.get(name, ()))
        )
    ]


def _tile(name: str, axis: str | None, number: int) -> Tile:
    seen = crystal(name, axis)
    rng = np.random.default_rng(number)
    sheet = structure(name).sheet
    lens = microscope(200, 0.14, background=0.06, semi_angle=27)
    if name in LIGHT_SHEETS:
        lens = microscope(60, 0.11, background=0.15, semi_angle=34)
    elif sheet:
        lens = microscope(80, 0.12, background=0.05, semi_angle=30)
    elif seen.nearest_spacing < 1.0 and len(set(seen.species)) == 1:
        lens = microscope(300, 0.08, background=0.06, semi_angle=30)
    side = SIDE * lens.sampling
    specimen = grow(seen, (side, side), orientation=rng.uniform(-0.2, 0.2), thickness=None if sheet else 60.0)
    specimen = drawn_contents(specimen, rng)
    return Tile(
        seen.name, specimen, dosed(lens, specimen, 1500 if name in LIGHT_SHEETS else 4000), seed=number
    )
