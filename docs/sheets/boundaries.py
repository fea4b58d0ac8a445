"""Where crystals end or meet: boundaries, faults, dislocations, edges, particles."""

from __future__ import annotations

import numpy as np

from sheets.overlays import Cores, Dots
from sheets.sheet import SIDE, Tile, microscope, side
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import Crystal, cubic_metal, perovskite
from stemnet.simulation.defects.amorphous import oxidized
from stemnet.simulation.defects.boundaries import grain_boundary, grown_at, polycrystal, tilt_boundary
from stemnet.simulation.defects.dislocations import dislocated
from stemnet.simulation.defects.faults import antiphase_boundary, stacking_fault, twin_boundary
from stemnet.simulation.defects.nanoparticle import FCC_HEIGHTS, Ball, nanoparticle, wulff
from stemnet.simulation.defects.shape import holes, shaped, stepped_edge, terraces, wedge, without_dangling
from stemnet.simulation.defects.walls import low_angle_boundary
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.quantities.regions import HalfPlane, Polygon, Vector, pair
from stemnet.simulation.specimen import Specimen

SHEET = microscope(80, 0.14, 1.5e5, 0.05, semi_angle=30)
LIGHT = microscope(60, 0.11, 4e6, 0.1, semi_angle=34)
FOIL = microscope(200, 0.16, 2e4, 0.06)
METAL = microscope(200, 0.16, 5e3, 0.06)
FINE = microscope(300, 0.13, 3e4, 0.06, semi_angle=28)
CARBON = microscope(200, 0.17, 2e4, 0.05, Support(0.02, 1.5))


def tiles() -> list[Tile]:
    """Grains, faults, dislocations, edges, particles."""
    rng = np.random.default_rng(5)
    seen, foil, metal, fine = side(SHEET), side(FOIL), side(METAL), side(FINE)
    middle, center = (seen[0] / 2, seen[1] / 2), (foil[0] / 2, foil[1] / 2)
    sto = perovskite()
    titanate = grow(sto, foil, thickness=60.0, margin=25.0)
    a = 3.905
    triangle = tuple((np.sin(t), np.cos(t)) for t in np.pi * (np.arange(3) * 2 / 3 + 0.5))
    edge = (foil[0] * 0.41, center[1])
    grains, core = Dots("grain"), Cores()
    gold = cubic_metal(4.0786, "Au", "fcc", "110", "Au")
    gold001 = cubic_metal(4.0786, "Au", "fcc", "001", "Au")
    particle = (SIDE * 0.17 / 2,) * 2
    silicon = grow(crystal("Si", "110", up="001"), fine, thickness=60.0)
    fcc = crystal("Au", "110")
    return [
        Tile("tilt boundary, SrTiO3, 36.9 degrees", _tilted(sto, foil), FOIL, grains),
        Tile("tilt boundary, graphene, 21.8 degrees", _graphene_boundary(), LIGHT, grains),
        Tile(
            "interface: BaTiO3 [100] on SrTiO3 [001]",
            _film(crystal("BaTiO3", "100"), sto, foil, a),
            FOIL,
            grains,
        ),
        Tile(
            "polycrystal of Pt [110] and [001]",
            polycrystal(
                [crystal("Pt", "110"), crystal("Pt", "001")], metal, 7, rng, thickness=50.0, margin=15.0
            ),
            METAL,
            grains,
        ),
        Tile("polycrystal of MoS2", polycrystal([crystal("MoS2")], seen, 6, rng, margin=12.0), SHEET, grains),
        Tile(
            "{111} twin of Si [110]",
            twin_boundary(crystal("Si", "110"), fine, anchor=_bond(crystal("Si", "110")), thickness=60.0),
            FINE,
            grains,
        ),
        Tile(
            "intrinsic stacking fault, Au [110]",
            stacking_fault(
                grow(fcc, metal, thickness=50.0, margin=15.0),
                (0.0, fcc.cell[1][1]),
                through=middle,
                normal=(1.0, 0.0),
            ),
            METAL,
            grains,
        ),
        Tile(
            "Ruddlesden-Popper fault, SrTiO3",
            _double_layer(sto, foil, a),
            FOIL,
            grains,
        ),
        Tile(
            "antiphase boundary, SrTiO3, 4 A wide",
            antiphase_boundary(titanate, (a / 2, a / 2), through=center, normal=(0.0, 1.0), width=4.0),
            FOIL,
        ),
        Tile(
            "edge dislocation a[010], SrTiO3",
            dislocated(titanate, [center], [(0.0, a)]),
            FOIL,
            core,
        ),
        Tile(
            "low-angle boundary, 12 degrees, SrTiO3",
            low_angle_boundary(titanate, np.radians(12), (0.0, a), through=center),
            FOIL,
            core,
        ),
        Tile(
            "dislocation in MoS2",
            dislocated(grow(crystal("MoS2"), seen, margin=25.0), [middle], [(0.0, 3.16)]),
            SHEET,
            core,
        ),
        Tile(
            "MoS2 flake, a triangle",
            shaped(
                grow(crystal("MoS2"), seen),
                Polygon(
                    middle,
                    triangle,
                    (8.5,) * 3,
                ),
            ),
            SHEET,
        ),
        Tile(
            "holes in graphene",
            without_dangling(
                holes(
                    grow(crystal("graphene"), side(LIGHT)),
                    ((9.0, 9.0), (18.0, 20.0)),
                    4.5,
                    rng,
                    irregular=0.2,
                ),
                2,
                1.7,
            ),
            LIGHT,
        ),
        Tile(
            "stepped edge of SrTiO3",
            stepped_edge(
                titanate,
                through=edge,
                normal=(1.0, 0.0),
                step=a,
                terrace=14.0,
                rng=rng,
            ),
            FOIL,
        ),
        Tile(
            "oxide on the edge of Si [110]",
            oxidized(
                shaped(silicon, HalfPlane((1.0, 0.1), (fine[0] * 0.55, fine[1] / 2))),
                9.0,
                separation=2.0,
                species=("Si", "O", "O"),
                rng=rng,
                layers=6,
            ),
            FINE,
        ),
        Tile(
            "wedge of Au [001], 2 to 25 repeats",
            wedge(grow(gold001, metal), (0.0, 0.0), (0.0, metal[1]), 2, 25),
            METAL,
        ),
        Tile(
            "terraces of MgO [001]",
            terraces(grow(crystal("MgO"), foil), 2, 4, (1.0, 0.4), rng, height=3, roughness=0.8),
            microscope(200, 0.16, 2e5, 0.04),
        ),
        Tile(
            "Au particle, Wulff's shape, on carbon",
            nanoparticle(
                gold,
                wulff(particle, 12.0, "110", orientation=0.2),
                reach=20.0,
                orientation=0.2,
                heights=FCC_HEIGHTS["110"],
            ),
            CARBON,
        ),
        Tile(
            "Au dome [001] on carbon",
            nanoparticle(
                gold001,
                Ball(particle, 15.0, half=True),
                reach=18.0,
                orientation=0.4,
                heights=FCC_HEIGHTS["001"],
            ),
            CARBON,
        ),
    ]


def _tilted(sto: Crystal, foil: Vector) -> Specimen:
    return tilt_boundary(sto, foil, np.radians(36.87), orientation=-np.radians(36.87) / 2, thickness=60.0)


def _graphene_boundary() -> Specimen:
    half = np.radians(21.79) / 2
    return tilt_boundary(crystal("graphene"), side(LIGHT), 2 * half, orientation=-half, closest=1.3)


def _film(film: Crystal, substrate: Crystal, foil: Vector, a: float) -> Specimen:
    """A film whose last A row is the first one of the substrate."""
    at = np.array([foil[0] / 2, 0.0])
    upper, lower = (grown_at(one, foil, 0.0, at, 10.0, 60.0) for one in (film, substrate))
    return grain_boundary(
        upper, lower, through=pair(at - np.array([0.3 * a, 0.0])), normal=(1.0, 0.0), closest=1.3
    )


def _double_layer(sto: Crystal, foil: Vector, a: float) -> Specimen:
    """Two AO rows on each other, 2.5 A apart, the lower crystal moved by half a cell along them."""
    at = np.array([foil[0] / 2, 0.0])
    upper = grown_at(sto, foil, 0.0, at, 10.0, 60.0)
    lower = grown_at(sto, foil, 0.0, at + np.array([2.5, a / 2]), 10.0, 60.0)
    return grain_boundary(
        upper, lower, through=pair(at + np.array([1.25, 0.0])), normal=(1.0, 0.0), closest=1.5
    )


def _bond(diamond: Crystal) -> Vector:
    """The middle of the bond across the rows of {111}, in fractions of the cell."""
    first, second = (np.array(site) for site in diamond.sites)
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    ways = (second - first + steps) @ np.array(diamond.cell)
    upright = np.flatnonzero(np.abs(ways[:, 1]) < 0.1)
    step = steps[upright[np.abs(ways[upright, 0]).argmin()]]
    return pair(first + (second - first + step) / 2)
