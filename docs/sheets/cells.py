"""What moves within the cells: polar textures, soft modes, tilts, chains; beside each image what was planted."""

from __future__ import annotations

import numpy as np

from sheets.overlays import Arrows, Map, Plain
from sheets.sheet import Tile, grown, microscope, middle, side
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.defects.point import substitutions
from stemnet.simulation.distortions.chains import chained, local_share
from stemnet.simulation.distortions.closures import FluxClosure, Skyrmion, Vortex, VortexArray
from stemnet.simulation.distortions.modes import by_sublattice, cell_shear, frozen_mode, row_shear
from stemnet.simulation.distortions.polar import ferroelastic_twin, polarized, rhombohedral_twin
from stemnet.simulation.distortions.textures import Repeated, Scaled, Texture, Turned
from stemnet.simulation.distortions.tilts import tilted_octahedra
from stemnet.simulation.distortions.walls import Nanodomain, Stripes, neutral_wall
from stemnet.simulation.library import crystal
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.quantities.fields import (
    Constant,
    Disc,
    Logistic,
    Patches,
    Product,
    Ramp,
    WallFade,
)

FOIL = microscope(200, 0.2, 3e4, 0.06)
WIDE = microscope(200, 0.25, 3e4, 0.06)
SHEET = microscope(80, 0.16, 2e5, 0.05, semi_angle=30)
OXYGEN = microscope(300, 0.12, 4e5, 0.02, semi_angle=30)


def polar(length: float = 3.4) -> Map:
    """Arrows at the B columns, over the domains."""
    return Map("domain", cmap="Pastel2", signed=False, arrows=Arrows("polar", 1, length))


def tiles() -> list[Tile]:
    """Polar textures, soft modes, tilts and chains."""
    rng = np.random.default_rng(9)
    at, size = middle(WIDE), side(WIDE)
    ferrite = grown(perovskite(3.96, "Bi", "Fe"), WIDE)
    shifts = {1: 0.3, 2: 0.45}

    def textured(label: str, texture: Texture) -> Tile:
        return Tile(label, polarized(ferrite, texture, shifts), WIDE, None, polar())

    r2 = float(np.sqrt(0.5))
    lead = grown(perovskite(3.97, "Pb", "Ti"), WIDE)
    bubbles = Repeated(Skyrmion(at, 9.0, 3.5), at, ((0.0, 32.0), (32.0, 0.0)))
    sulfides = grown(crystal("MoS2"), SHEET)
    patches = Patches(((8.0, 8.0), (12.0, 33.0), (35.0, 20.0)), (0, 1, 2))
    rhenium = substitutions(sulfides, 1.0, "Re", 0, rng)
    alloy = substitutions(sulfides, 0.5, "Re", 0, rng)
    share = local_share(alloy, "Re", 5.0)
    selenide = grown(crystal("NbSe2"), SHEET)
    oxide = grown(crystal("M2-like"), FOIL)
    calcium = grown(perovskite(3.82, "Ca", "Ti"), OXYGEN)
    breathing = by_sublattice(selenide, {1: (0.0, 1.0)})
    fade = Disc(1.0, 0.1, middle(OXYGEN), 10.0, 4.0)
    return [
        textured("180-degree wall, BiFeO3", neutral_wall((r2, r2), (-r2, -r2), at, 3.0)),
        Tile(
            "90-degree ferroelastic twin, PbTiO3",
            ferroelastic_twin(lead, 1.065, at, 3.0, {1: 0.16, 2: 0.47}),
            WIDE,
            None,
            polar(),
        ),
        Tile(
            "71-degree wall, BiFeO3",
            rhombohedral_twin(
                ferrite, (1, 1, 1), (-1, 1, 1), at, 3.0, {1: 0.35, 2: 0.5}, thickness=60.0, shear=0.0048
            ),
            WIDE,
            None,
            polar(),
        ),
        textured("stripes", Stripes((1.0, 0.0), (0.0, 1.0), at, 32.0, 2.5)),
        textured("a round nanodomain", Nanodomain((0.0, 1.0), at, 14.0, 3.0)),
        textured("flux closure", FluxClosure(at, (at[0], at[1]), 3.0)),
        textured("vortex", Vortex(at, 8.0)),
        textured("array of vortices", VortexArray(at, (40.0, 40.0))),
        textured("skyrmion", Skyrmion(at, 16.0, 6.0)),
        textured("a crystal of bubbles", bubbles),
        textured(
            "stripes, turned, fading to one side",
            Scaled(
                Turned(Stripes((1.0, 0.0), (0.0, 1.0), at, 32.0, 2.5), 0.6, at),
                Ramp(0.55, (0.0, 0.9 / size[1]), at),
            ),
        ),
        Tile(
            "a density wave, q = 1/3, NbSe2",
            frozen_mode(selenide, (1 / 3, 0.0), breathing, Disc(0.3, 0.0, middle(SHEET), 13.0, 3.0)),
            SHEET,
            None,
            Map(
                "mode_amplitude_A", "A", cmap="viridis", signed=False, arrows=Arrows("mode", 1, 2.5, "white")
            ),
        ),
        Tile(
            "rows sheared by turns, WTe2",
            row_shear(
                grown(crystal("WTe2"), SHEET), Ramp(0.2, (0.0, 0.4 / side(SHEET)[1]), middle(SHEET)), rows=1
            ),
            SHEET,
            None,
            Map(
                "shear_amplitude_A",
                "A",
                cmap="viridis",
                signed=False,
                arrows=Arrows("shear", 0, 2.5, "white"),
            ),
        ),
        Tile(
            "shear within the cells, M2-like oxide",
            cell_shear(drawn_contents(oxide, rng), Ramp(0.25, (0.0, 0.4 / side(FOIL)[1]), middle(FOIL))),
            FOIL,
            None,
            Map(
                "inner_shear_amplitude_A",
                "A",
                cmap="viridis",
                signed=False,
                arrows=Arrows("inner_shear", None, 2.5, "white"),
            ),
        ),
        Tile(
            "octahedra a0a0c+ in a disc, CaTiO3",
            tilted_octahedra(calcium, "a0a0c+", (0.0, 0.0, 0.18), share=fade),
            OXYGEN,
            None,
            Map(
                "tilt_amplitude_rad",
                "rad",
                cmap="viridis",
                signed=False,
                arrows=Arrows("displacement", 2, 2.2, "white"),
            ),
        ),
        Tile(
            "antipolar Ca, a-b+c-, CaTiO3",
            tilted_octahedra(calcium, "a-b+c-", (0.12, 0.12, 0.12), antipolar=0.35),
            OXYGEN,
            None,
            Plain(Arrows("antipolar", 0, 2.2)),
        ),
        Tile(
            "chains in three domains, ReS2-like",
            chained(rhenium, Product(WallFade(patches, 2.0), Constant(0.24)), patches),
            SHEET,
            None,
            Map("chain_direction", cmap="Pastel2", signed=False, arrows=Arrows("chain", 0, 2.5, "black")),
        ),
        Tile(
            "chains where Re gathers, MoReS2",
            chained(alloy, Logistic(share, 0.5, 0.04, 0.25), 0),
            SHEET,
            None,
            Map(
                "chain_amplitude_A",
                "A",
                cmap="viridis",
                signed=False,
                arrows=Arrows("chain", 0, 2.5, "white"),
            ),
        ),
    ]
