"""Polar perovskites: ferroelastic twins of PbTiO3, a wall that ends in BiFeO3, vortices between layers of SrTiO3."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.crystal import formula, perovskite
from stemnet.simulation.defects.point import marked
from stemnet.simulation.deformation import (
    Vector,
    gradient,
    smoothly_strained,
    strained,
    strained_across,
    twin_wall,
    with_strain,
)
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.chains import Label
from stemnet.simulation.distortions.chemical import chemically_strained
from stemnet.simulation.distortions.closures import FluxClosure, VortexArray
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.elastic import graded
from stemnet.simulation.distortions.polar import Domain, polarized
from stemnet.simulation.distortions.textures import Repeated, Scaled, Turned
from stemnet.simulation.distortions.walls import Wall
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.probe import Probe
from stemnet.simulation.quantities.fields import Constant, Ramp
from stemnet.simulation.quantities.profiles import Above, Piecewise
from stemnet.simulation.quantities.regions import Inside
from stemnet.simulation.specimen import Displacement, PlantedField, Specimen, rotation
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view

LOSS = decay_by_number(0.007)
"""How soon electrons leave a column [1/A], by its heaviest element; that of Au is 0.007."""
A_PBTIO3, C_PBTIO3 = 3.90, 4.15
"""Lattice constants of PbTiO3 at room temperature [A]."""
TI_OFF_CAGE = 0.0377
"""Ti off the middle of its Pb cage, in c; O goes three times as far (Nelmes and Kuhs, 1985)."""


@dataclass(frozen=True)
class AxisRatio:
    """How long the cell's first vector has become over its second, both of one length as grown.

    Parameters
    ----------
    flow : tuple of Displacement
        What was done to the lattice.
    """

    flow: tuple[Displacement, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Ratios (N,) at places before the deformations."""
        lengths = np.linalg.norm(gradient(self.flow, yx), axis=1)
        return lengths[:, 0] / lengths[:, 1]


@dataclass(frozen=True)
class Layers:
    """1 in layers, 0 between them, across y.

    Parameters
    ----------
    middle : float
        y of the middle of one layer [A].
    period, thickness : float
        From layer to layer, and of one layer [A].
    width : float
        Half width of the interfaces [A].
    """

    middle: float
    period: float
    thickness: float
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        turns = (np.asarray(yx)[:, 0] - self.middle) / self.period
        away = np.abs(turns - np.round(turns)) * self.period
        return (1 + np.tanh((self.thickness / 2 - away) / self.width)) / 2


def pbtio3_domains(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.17) -> World:
    """Draw PbTiO3 along an a axis: two ferroelastic 90-degree domains, a coherent wall, and a shear that grows along x.

    The long axis lies along y in domain 0 and along x in domain 1. The two
    stretches meet on the wall of Ball and James' construction, with the
    twins' rotation shared between them, and the polarization passes it head
    to tail.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]

    Returns
    -------
    World
    """
    a, c = A_PBTIO3, C_PBTIO3
    parent, wall = (c * a * a) ** (1 / 3), 2.5
    size = field_of_view(shape, sampling)
    middle = size / 2
    upright, lying = np.diag([c, a]) / parent, np.diag([a, c]) / parent
    jump, normal = twin_wall(upright, lying)
    turned = (np.eye(2) + np.outer(jump, normal)) @ upright @ np.linalg.inv(lying)
    turn = rotation(-float(np.arctan2(turned[1, 0], turned[0, 0])) / 2)
    first, jump, normal = turn @ upright, turn @ jump, turn @ normal
    specimen = grow(
        perovskite(parent, "Pb", "Ti", name="PbTiO3"),
        tuple(size),
        origin=tuple(middle / parent),
        margin=10.0 + 0.08 * float(size.max()),
        thickness=25 * parent,
    )
    specimen = strained(specimen, first - np.eye(2), _pair(middle))
    # The wall lies between two rows of cations, so that each column has a domain.
    through = middle + 0.75 * parent / np.sqrt(2) * normal
    specimen = strained_across(specimen, jump, normal, through, wall)
    planted = specimen.with_planted(tetragonality=AxisRatio(specimen.flow)(specimen.origin_of(specimen.yx)))
    ratio = PlantedField(AxisRatio(specimen.flow), 0)
    specimen = replace(planted, fields={**planted.fields, "tetragonality": ratio})
    before = first[:, 0] / np.hypot(*first[:, 0])
    after = (np.eye(2) + np.outer(jump, normal)) @ first[:, 1]
    texture = Wall(_pair(before), _pair(after / np.hypot(*after)), _pair(normal), _pair(through), wall)
    specimen = polarized(specimen, texture, {1: TI_OFF_CAGE * c, 2: 3 * TI_OFF_CAGE * c})
    # A shear that grows along x, u_y = g x / 2: no drift of the scan can imitate it.
    left = (float(middle[0]), 0.0)
    slope = 0.01 / float(size[1])
    specimen = graded(
        specimen.with_field("shear", Ramp(0.0, (0.0, slope), left)),
        (slope, 0.0),
        normal=(0.0, 1.0),
        through=left,
    )
    specimen = _depleted(thermal_disorder(specimen, 0.02, rng), 0.01, rng)
    microscope = Microscope(
        Probe(300, 24, defocus=10, astigmatism=8, source_size=0.9, defocus_spread=15, tails=0.1),
        sampling=sampling,
        dose=2e4,
        background=0.12,
        gradient=0.08,
        artefacts=(LineJitter(0.015, 0.5), Drift(0.3, -0.4), Wander(0.05)),
    )
    return World(
        cropped(attenuated(specimen, LOSS, parent), size),
        microscope,
        shape,
        "Tetragonal PbTiO3 seen along an a axis: two ferroelastic 90-degree domains and a coherent wall.",
    )


def bifeo3_closure(
    rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.16, offset: float = 0.32
) -> World:
    """Draw BiFeO3 along [001] of its pseudocubic cell: a 180-degree wall that ends in a flux closure.

    In projection the polarization lies along <110>: the 180-degree wall runs
    along it, the walls at which it turns by 90 degrees, those of 109, on
    {100}. They meet where the 180-degree wall ends, in a third domain that
    closes the flux. Strain of the domains is left out, but for long waves.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    offset : float
        Of Fe against its Bi cage within a domain, in projection [A].

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    angle = rng.uniform(-0.12, 0.12)
    specimen = grow(
        perovskite(3.96, "Bi", "Fe", name="BiFeO3"),
        tuple(size),
        orientation=angle,
        origin=tuple(rng.uniform(0, 1, 2)),
        thickness=20 * 3.96,
    )
    along = rotation(angle + np.pi / 4) @ np.array([0.0, 1.0])
    end = size * rng.uniform(0.45, 0.6, 2)
    half = 2 * float(np.hypot(*size))
    center = _pair(end - half * along)
    texture = Turned(FluxClosure(center, (half, 2 * half), 2.5), angle + np.pi / 4, center)
    specimen = polarized(specimen, texture, {1: offset, 2: 1.6 * offset})
    specimen = with_strain(smoothly_strained(specimen, 0.002, 60.0, rng))
    specimen = cropped(attenuated(thermal_disorder(specimen, 0.02, rng), LOSS, 3.96), size)
    microscope = Microscope(
        Probe(200, 24, astigmatism=10, coma=150, source_size=0.85, defocus_spread=20, tails=0.1),
        sampling=sampling,
        dose=1.2e4,
        background=0.1,
        gradient=0.05,
        artefacts=(LineJitter(0.02, 0.4), Drift(-0.3, 0.3), Hum(0.01, 0.03, dwell=12.0), Contamination(0.02)),
    )
    return World(
        specimen,
        microscope,
        shape,
        "BiFeO3 along a pseudocubic axis: a 180-degree wall that ends in flux closure between two 109-degree walls.",
    )


def pbtio3_polar(
    rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.16, offset: float = 0.25
) -> World:
    """Draw a PbTiO3/SrTiO3 superlattice with vortices in the PbTiO3; SrTiO3 is the control that is not polar.

    Ten cells of PbTiO3 take turns with ten of SrTiO3; the A sites mix over half
    a nanometer at the interfaces, and the cells of PbTiO3 are longer along the
    growth direction y. The beam is along the columns: no mistilt. ``domain``
    is the sense of the vortex, -1 in SrTiO3.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    offset : float
        Largest one of Ti against its cage, next to the interfaces [A].

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    a = 3.92
    specimen = grow(
        perovskite(a, "Sr", "Ti"),
        tuple(size),
        origin=tuple(rng.uniform(0, 1, 2)),
        margin=14.0,
        thickness=30 * a,
    )
    middle = float(size[0] * rng.uniform(0.42, 0.58))
    layers = Layers(middle, 20 * a, 10 * a, 2.0)
    specimen = _mixed(specimen, layers, rng)
    center = (middle, float(rng.uniform(0.3, 0.7) * size[1]))
    vortices = VortexArray(center, (20 * a, 72.0))
    # Senses alternate along x only; each layer has its own row of vortices.
    texture = Scaled(Repeated(vortices, center, ((20 * a, 0.0), (0.0, 72.0))), layers)
    specimen = polarized(specimen, texture, {1: offset, 2: 2 * offset})
    labels = Piecewise(Inside(Above(layers, 0.5)), (Constant(-1), Domain(texture)))
    specimen = specimen.with_field("domain", Label(labels))
    specimen = chemically_strained(specimen, layers, ((0.03, 0.0), (0.0, 0.0)), 0.0)
    specimen = cropped(attenuated(thermal_disorder(specimen, 0.02, rng), LOSS, a), size)
    microscope = Microscope(
        Probe(200, 27, defocus=-8, astigmatism=6, source_size=0.8, defocus_spread=20, tails=0.1),
        sampling=sampling,
        dose=2e4,
        background=0.1,
        gradient=0.06,
        artefacts=(LineJitter(0.02, 0.5), Drift(0.3, 0.2), Wander(0.06), Flyback(0.4, 0.04), Flicker(0.01)),
    )
    return World(
        specimen,
        microscope,
        shape,
        "A PbTiO3/SrTiO3 superlattice: vortices in PbTiO3, nothing polar in SrTiO3, no mistilt.",
    )


def _depleted(specimen: Specimen, share: float, rng: np.random.Generator) -> Specimen:
    """Leave 10 to 70 % of the atoms in a share of the cation columns: a thick column does not vanish whole."""
    hit = (rng.random(len(specimen)) < share) & (specimen.sublattice < 2)
    left = np.where(hit, rng.uniform(0.1, 0.7, len(specimen)), 1.0)
    changed = replace(specimen, thickness=specimen.thickness * left).with_planted(occupancy=left)
    return marked(changed, hit, "vacancy")


def _mixed(specimen: Specimen, lead: Layers, rng: np.random.Generator) -> Specimen:
    """Draw the Pb and Sr atoms of every A column by the chance of lead at its place."""
    chance = np.round(lead(specimen.yx), 2)
    kinds, row = np.unique(chance, return_inverse=True)
    names = np.array([formula({"Pb": share, "Sr": 1 - share}) for share in kinds])[row]
    species = np.where(specimen.sublattice == 0, names, specimen.species)
    drawn = drawn_contents(replace(specimen, species=species), rng)
    planted = {name: values for name, values in drawn.planted.items() if name != "heavy_share"}
    share = np.where(chance < 1, np.where(chance > 0, drawn.planted["heavy_share"], 0.0), 1.0)
    lead_share = np.where(specimen.sublattice == 0, share, np.nan)
    return replace(drawn, planted={**planted, "lead_share": lead_share})


def _pair(vector: np.ndarray) -> Vector:
    return float(vector[0]), float(vector[1])
