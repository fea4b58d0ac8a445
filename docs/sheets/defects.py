"""What is wrong within a crystal: point defects, order, adatoms, what is amorphous, layers."""

from __future__ import annotations

import numpy as np

from sheets.overlays import Rings
from sheets.sheet import SIDE, Tile, microscope, side
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.defects.adatoms import adatoms, interstitials
from stemnet.simulation.defects.amorphous import amorphized, amorphous_region
from stemnet.simulation.defects.layers import multilayer, twisted_bilayer
from stemnet.simulation.defects.order import graded_substitutions, ordered_substitutions
from stemnet.simulation.defects.point import (
    antisites,
    divacancies,
    substitutions,
    two_layers,
    vacancies,
    vacancy_lines,
)
from stemnet.simulation.growth import disordered, grow
from stemnet.simulation.library import crystal
from stemnet.simulation.quantities.profiles import Graded
from stemnet.simulation.quantities.regions import Blob, HalfPlane, pair
from stemnet.simulation.specimen import Specimen

SHEET = microscope(80, 0.14, 1.5e5, 0.05, semi_angle=30)
LIGHT = microscope(60, 0.11, 4e6, 0.1, semi_angle=34)
FOIL = microscope(200, 0.16, 2e4, 0.06)
FINE = microscope(300, 0.13, 3e4, 0.06, semi_angle=28)


def tiles() -> list[Tile]:
    """Point defects, order, adatoms, layers and what is amorphous."""
    rng = np.random.default_rng(3)
    seen = side(SHEET)
    mos2 = grow(crystal("MoS2"), seen, orientation=0.15)
    graphene = grow(crystal("graphene"), side(LIGHT), orientation=-0.1)
    thin = grow(perovskite(), side(FOIL), orientation=0.05, thickness=30.0)
    silicon = grow(crystal("Si", "110", up="001"), side(FINE), thickness=60.0)
    fine = side(FINE)
    mark, light = Rings(), side(LIGHT)
    alloy = grow(crystal("MoS2"), seen)
    ramp = Graded((0.0, 0.0), (0.0, seen[1]), 0.0, 1.0)
    return [
        Tile("vacancies: S of MoS2, one atom or both", vacancies(mos2, 0.08, rng, 1), SHEET, mark),
        Tile("vacancy lines in MoS2", vacancy_lines(mos2, 9, 7, (1, 0), 1, rng), SHEET, mark),
        Tile("divacancies in graphene", divacancies(graphene, 0.04, rng), LIGHT, mark),
        Tile("antisites in MoS2", antisites(mos2, 0.05, 0, 1, rng), SHEET, mark),
        Tile("substitutions: W in MoS2", substitutions(mos2, 0.12, "W", 0, rng), SHEET, mark),
        Tile("graded: Mo to W", graded_substitutions(alloy, ramp, "W", 0, rng), SHEET),
        Tile("MoWS2, like gather (+0.5)", _ordered(alloy, 0.5, 0.5, rng), SHEET),
        Tile("MoWS2, unlike gather (-0.25)", _ordered(alloy, 1 / 3, -0.25, rng), SHEET),
        Tile(
            "two layers: Janus WSSe, mixed, vacancies",
            two_layers(
                grow(crystal("WSSe"), seen, orientation=0.3),
                1,
                {"S": 0.9, "Se": 0.05, "": 0.05},
                {"Se": 0.85, "S": 0.1, "": 0.05},
                rng,
            ),
            SHEET,
            mark,
        ),
        Tile(
            "adatoms: Si on graphene, hollow",
            adatoms(graphene, 0.06, "Si", rng, site="hollow", separation=4.0),
            LIGHT,
            mark,
        ),
        Tile("adatoms: Pt on SrTiO3, on top", adatoms(thin, 0.03, "Pt", rng, separation=6.0), FOIL, mark),
        Tile(
            "interstitials: Mo in MoS2, pushing",
            interstitials(mos2, 0.02, "Mo", rng, push=0.3, separation=8.0),
            SHEET,
            mark,
        ),
        Tile(
            "amorphized by the beam: Si [110]",
            amorphized(silicon, (fine[0] * 0.5, fine[1] * 0.6), 7.0, rng, rms=0.6, width=3.0),
            FINE,
        ),
        Tile(
            "amorphous beside Si [110]",
            amorphous_region(
                silicon,
                HalfPlane((1.0, 0.3), (fine[0] * 0.6, fine[1] * 0.5)),
                separation=1.72,
                species=("Si",),
                rng=rng,
                layers=8,
                roughness=0.15,
            ),
            FINE,
        ),
        Tile(
            "amorphous carbon network in graphene",
            amorphous_region(
                graphene,
                Blob(pair(np.array(light) / 2), 8.0),
                separation=1.18,
                species=("C",),
                rng=rng,
                width=1.0,
                roughness=0.1,
                network=True,
            ),
            LIGHT,
        ),
        Tile(
            "single Pt and Ir atoms on carbon",
            _sparse(rng),
            microscope(100, 0.17, 2e5, 0.02, Support(0.04, 1.2)),
        ),
        Tile("2H bilayer of MoS2", multilayer(crystal("MoS2"), seen, 2, "2H", orientation=0.1), SHEET),
        Tile("3R trilayer of MoS2", multilayer(crystal("MoS2"), seen, 3, "3R", orientation=0.1), SHEET),
        Tile(
            "twisted bilayer of WSe2, 6 degrees",
            twisted_bilayer(crystal("WSe2"), side(FOIL), np.radians(6), orientation=0.1),
            microscope(80, 0.16, 1e5, 0.05, semi_angle=30),
        ),
        Tile(
            "twisted bilayer of graphene, 9 degrees",
            twisted_bilayer(crystal("graphene"), light, np.radians(9)),
            LIGHT,
        ),
    ]


def _ordered(alloy: Specimen, fraction: float, order: float, rng: np.random.Generator) -> Specimen:
    return ordered_substitutions(alloy, fraction, "W", 0, rng, order=order)


def _sparse(rng: np.random.Generator) -> Specimen:
    field = (SIDE * 0.17,) * 2
    return disordered(field, separation=2.6, filling=0.12, species=("Pt", "Ir"), rng=rng)
