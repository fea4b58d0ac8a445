"""What deforms or shakes a crystal: the micrograph, and beside it the field that was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sheets.overlays import Arrows, Map, Plain
from sheets.sheet import Tile, grown, microscope, middle, side
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.defects.point import substitutions
from stemnet.simulation.deformation import smoothly_strained, strained, strained_across, with_strain
from stemnet.simulation.depth import decay_by_number
from stemnet.simulation.distortions.beam import mistilted
from stemnet.simulation.distortions.chemical import chemical_interface, chemically_strained
from stemnet.simulation.distortions.disorder import (
    correlated_disorder,
    frozen_phonons,
    size_mismatch,
    thermal_disorder,
)
from stemnet.simulation.distortions.elastic import (
    bent,
    graded,
    misfit_relaxed,
    randomly_strained,
    with_inclusion,
)
from stemnet.simulation.library import crystal
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.quantities.fields import (
    Ramp,
    Step,
    random_quantity,
)
from stemnet.simulation.specimen import Quantity, Specimen

FOIL = microscope(200, 0.2, 3e4, 0.06)
SHEET = microscope(80, 0.16, 2e5, 0.05, semi_angle=30)


def strain(name: str = "strain_yy") -> Map:
    """A map of strain in percent."""
    return Map(name, "%", 100)


def tiles() -> list[Tile]:
    """Deformations of all matter, chemical strain, disorder, and the beam."""
    rng = np.random.default_rng(7)
    titanate = grown(perovskite(), FOIL)
    at, size = middle(FOIL), side(FOIL)
    alloy = grown(crystal("MoS2"), SHEET)
    shares = random_quantity(0.5, 0.25, 8.0, rng, low=0.0, high=1.0)
    pzt = grown(perovskite(3.97, "Ba", "Ti"), FOIL)
    solution = mixed(pzt, shares, "Sr", rng)
    step = Step(0.0, 1.0, (-1.0, 0.0), at, 3.0)
    layered = mixed(grown(perovskite(), FOIL), step, "Ba", rng)
    odd = substitutions(alloy, 0.06, "Te2", 1, rng)
    heavy = decay_by_number(0.012, 1.0)
    foil = (0.0, Ramp(0.0, (0.0, 0.012 / size[1]), at))
    return [
        Tile(
            "homogeneous strain and rotation",
            with_strain(strained(titanate, np.array([[0.03, 0.05], [-0.02, -0.03]]), at)),
            FOIL,
            None,
            Plain(Arrows("displacement", 0, 5.0)),
        ),
        Tile(
            "long waves of strain",
            with_strain(smoothly_strained(titanate, 0.03, 40.0, rng)),
            FOIL,
            None,
            strain(),
        ),
        Tile(
            "a Gaussian random field",
            with_strain(randomly_strained(titanate, 0.025, 10.0, rng)),
            FOIL,
            None,
            Map("rotation_rad", "mrad", 1000),
        ),
        Tile(
            "a step of strain across a wall",
            with_strain(
                strained_across(titanate, np.array([0.0, 0.06]), np.array([0.0, 1.0]), np.array(at), 3.0)
            ),
            FOIL,
            None,
            strain("strain_xx"),
        ),
        Tile(
            "bent to 40 nm", with_strain(bent(titanate, 400.0, through=at)), FOIL, None, strain("strain_xx")
        ),
        Tile(
            "a gradient of strain",
            with_strain(graded(titanate, (0.002, 0.0), normal=(1.0, 0.0), through=at)),
            FOIL,
            None,
            strain(),
        ),
        Tile(
            "misfit that relaxes over 1 nm",
            with_strain(
                misfit_relaxed(titanate, 0.08, normal=(-1.0, 0.0), through=(size[0] * 0.7, 0.0), length=10.0)
            ),
            FOIL,
            None,
            strain(),
        ),
        Tile(
            "inclusion, 6 % too large",
            with_strain(with_inclusion(titanate, at, 11.0, 0.06)),
            FOIL,
            None,
            strain("strain_xx"),
        ),
        Tile(
            "chemical strain: Ba, Sr, random composition",
            chemically_strained(solution, shares, -0.03, 0.5),
            FOIL,
            None,
            Map(
                "composition",
                cmap="viridis",
                signed=False,
                arrows=Arrows("displacement", 0, 6.0, "white", True),
            ),
        ),
        Tile(
            "Ba film on SrTiO3, in closed form",
            chemical_interface(layered, step, 0.025),
            FOIL,
            None,
            strain(),
        ),
        Tile(
            "size mismatch: Te in MoS2",
            with_strain(size_mismatch(odd, {"Te2": 0.12}, neighbor=1.82)),
            SHEET,
            None,
            Map("strain_xx", "%", 100, arrows=Arrows("mismatch", None, 2.5, "black")),
        ),
        Tile(
            "static disorder, 0.1 A",
            thermal_disorder(titanate, 0.1, rng),
            FOIL,
            None,
            Plain(Arrows("displacement")),
        ),
        Tile(
            "frozen phonons, one snapshot, MoS2",
            frozen_phonons(grown(crystal("MoS2"), SHEET), {"Mo": 0.06, "S": 0.12}, rng),
            SHEET,
            None,
            Plain(Arrows("thermal", None, 2.5)),
        ),
        Tile(
            "correlated disorder, 1 nm",
            with_strain(correlated_disorder(titanate, 0.2, 10.0, rng)),
            FOIL,
            None,
            Map("strain_xx", "%", 100, arrows=Arrows("displacement", 0, 3.5, "black")),
        ),
        Tile(
            "mistilt of a bent foil, 30 nm thick",
            mistilted(replace(titanate, thickness=5 * titanate.thickness), foil, heavy, 3.905),
            FOIL,
            None,
            Map("beam_tilt_x_rad", "mrad", 1000, arrows=Arrows("mistilt", None, 3.0, "black")),
        ),
    ]


def mixed(specimen: Specimen, share: Quantity, species: str, rng: np.random.Generator) -> Specimen:
    """Mix a species into the A columns, atom by atom, by a share of place."""
    names = specimen.species.astype(object)
    ours = np.flatnonzero(specimen.sublattice == 0)
    parts = np.clip(np.round(share(specimen.yx[ours]), 2), 0.01, 0.99)
    names[ours] = [
        f"{names[row]}{1 - part:.2f}{species}{part:.2f}" for row, part in zip(ours, parts, strict=True)
    ]
    return drawn_contents(replace(specimen, species=names.astype(str)), rng)
