"""Random specimens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal, scattering
from stemnet.simulation.defects.point import substitutions, vacancies
from stemnet.simulation.defects.shape import cut
from stemnet.simulation.deformation import smoothly_strained, strained
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.polar import polar_shift
from stemnet.simulation.growth import disordered, grow
from stemnet.simulation.priors.draws import SUBSTITUTES, Range, log_uniform
from stemnet.simulation.priors.lattices import BRIGHTNESS, UNRESOLVED, invented, merged, visible_spacing
from stemnet.simulation.priors.wrongs.kinds import SLACK, Growth, Wrong
from stemnet.simulation.specimen import Specimen, nothing

FAINT = (0.04, 0.3)
"""Light of a faint sublattice's column, as a share of the brightest one's."""


@dataclass(frozen=True)
class SpecimenPrior:
    """Random specimens.

    Parameters
    ----------
    crystals : sequence of Crystal
    shares : mapping of str to float
        How often each kind turns up: ``crystal`` (one of the list),
        ``lattice`` (an invented unit cell), ``disordered`` (a dense random
        set), ``sparse`` (single atoms), ``empty``.
    scale : tuple of float
        Factor on all lengths of a crystal, so that no lattice constant is learnt.
    closest : float
        Least distance of two columns in widths of a column: a crystal in which
        they are closer is enlarged.
    visible : float
        Columns below this share of the brightest one's brightness do not count
        in that; 0 for all. (The oxygen of SrTiO3 has 0.07: a crystal enlarged
        until it stood alone would look like no image of SrTiO3.) Where they
        stand within 1.25 widths of a brighter column they are part of it.
    vacancy, substitution : float
        Largest share of columns; 0 for none, as for what follows.
    strain : float
        Largest strain.
    displacement : float
        Largest polar shift and static disorder, as a share of the nearest spacing.
    edge : float
        How often the specimen ends inside the frame.
    faint : float
        How often some sublattices are far fainter than the others, as oxygen
        beside a metal: 0.04 to 0.3 of the brightest, drawn evenly in the logarithm.
    wrongs : sequence of Wrong
        What else may be wrong with a crystal or a lattice, from
        `stemnet.simulation.priors.wrongs`; tried in this order, before the above.
    """

    crystals: Sequence[Crystal]
    shares: dict[str, float]
    scale: Range = (0.8, 1.35)
    closest: float = 2.3
    visible: float = 0.0
    vacancy: float = 0.12
    substitution: float = 0.2
    strain: float = 0.03
    displacement: float = 0.08
    edge: float = 0.2
    faint: float = 0.0
    wrongs: Sequence[Wrong] = ()

    def draw(self, rng: np.random.Generator, field_of_view: Range, width: float) -> Specimen:
        """Draw a specimen.

        Parameters
        ----------
        rng : numpy.random.Generator
        field_of_view : tuple of float
            Height and width [A].
        width : float
            Sigma of a column's image [A]; sets how close columns may come.

        Returns
        -------
        Specimen
        """
        kinds = list(self.shares)
        odds = np.array([self.shares[kind] for kind in kinds], dtype=float)
        kind = kinds[rng.choice(len(kinds), p=odds / odds.sum())]
        if kind == "empty":
            specimen = nothing()
        elif kind in ("disordered", "sparse"):
            specimen = disordered(
                field_of_view,
                separation=width * rng.uniform(max(self.closest, 2.6), 7),
                filling=rng.uniform(0.5, 1.5) if kind == "disordered" else rng.uniform(0.01, 0.15),
                species=tuple(rng.choice(SUBSTITUTES, rng.integers(1, 4))),
                rng=rng,
                margin=10 * width,
            )
        elif kind in ("crystal", "lattice"):
            crystal = self.crystal(rng, kind, width)
            specimen = self._distorted(rng, crystal, field_of_view, width)
        else:
            raise StemnetError(
                f"'{kind}' is not a kind of specimen; choose crystal, lattice, disordered, sparse or empty."
            )
        if len(specimen) and self.edge and rng.random() < self.edge:
            specimen = _ended(rng, specimen, field_of_view)
        return specimen

    def crystal(self, rng: np.random.Generator, kind: str, width: float) -> Crystal:
        """Draw a ``crystal`` or a ``lattice``, as large as columns of a width [A] need it."""
        if kind == "crystal":
            crystal = self.crystals[int(rng.integers(len(self.crystals)))]
            spacing = visible_spacing(crystal, self.visible)
            factor = log_uniform(rng, self.scale)
        else:
            crystal = invented(rng)
            spacing = visible_spacing(crystal, self.visible)
            factor = width * log_uniform(rng, (self.closest, 9)) / spacing
        scaled = crystal.scaled(max(factor, self.closest * width / spacing))
        return merged(scaled, UNRESOLVED * width) if self.visible else scaled

    def _distorted(
        self, rng: np.random.Generator, crystal: Crystal, field_of_view: Range, width: float
    ) -> Specimen:
        orientation, origin = rng.uniform(0, 2 * np.pi), tuple(rng.uniform(0, 1, 2))
        wrongs = [wrong for wrong in self.wrongs if rng.random() < wrong.chance]
        growth = Growth(
            crystal=crystal,
            field_of_view=field_of_view,
            orientation=orientation,
            margin=12 * width + max((wrong.pull for wrong in wrongs), default=0.0) * max(field_of_view),
            width=width,
            closest=self.closest * width,
            spacing=visible_spacing(crystal, self.visible),
            visible=self.visible,
        )
        specimen = grow(crystal, field_of_view, orientation=orientation, origin=origin, margin=growth.margin)
        for wrong in wrongs:
            if wrong.applies(specimen, growth):
                specimen = wrong.draw(rng, specimen, growth)
        if self.vacancy and rng.random() < 0.5:
            specimen = vacancies(specimen, rng.uniform(0, self.vacancy), rng)
        if self.substitution and rng.random() < 0.5:
            specimen = substitutions(
                specimen,
                rng.uniform(0, self.substitution),
                str(rng.choice(SUBSTITUTES)),
                int(rng.choice(crystal.sublattices)),
                rng,
            )
        if self.strain and rng.random() < 0.5:
            specimen = strained(specimen, rng.uniform(-self.strain, self.strain, (2, 2)))
        if self.strain and rng.random() < 0.5:
            specimen = smoothly_strained(
                specimen, rng.uniform(0, self.strain / 2), max(field_of_view) / 2, rng
            )
        room = growth.spacing - SLACK * growth.closest
        if self.displacement and room > 0:
            largest = min(self.displacement * growth.spacing, room)
            if rng.random() < 0.5:
                direction = rng.uniform(0, 2 * np.pi)
                shift = rng.uniform(0, largest) * np.array([np.cos(direction), np.sin(direction)])
                specimen = polar_shift(specimen, int(rng.choice(crystal.sublattices)), shift)
            specimen = thermal_disorder(specimen, rng.uniform(0, largest / 3), rng)
        specimen = _uneven(rng, specimen, max(crystal.sublattices) + 1)
        return _with_faint(rng, specimen) if self.faint and rng.random() < self.faint else specimen


def _uneven(rng: np.random.Generator, specimen: Specimen, kinds: int) -> Specimen:
    """Let sublattices, and columns by less, be brighter or darker than their species say."""
    kinds = max(kinds, int(specimen.sublattice.max(initial=-1)) + 1)
    # What belongs to no sublattice, number -1, is as bright as it is.
    brightness = np.append(np.exp(rng.normal(0, 0.4, kinds)), 1.0)[specimen.sublattice]
    uneven = brightness * np.exp(rng.normal(0, rng.uniform(0, 0.12), len(specimen)))
    return replace(specimen, thickness=specimen.thickness * uneven)


def _with_faint(rng: np.random.Generator, specimen: Specimen) -> Specimen:
    """Let some sublattices be far fainter than the brightest."""
    light = scattering(specimen.species, BRIGHTNESS) * specimen.thickness
    kinds = [kind for kind in np.unique(specimen.sublattice) if kind >= 0]
    if len(kinds) < 2:
        return specimen
    typical = np.array([np.median(light[specimen.sublattice == kind]) for kind in kinds])
    order = np.argsort(typical)
    factor = np.ones(int(max(kinds)) + 2)  # the last is that of no sublattice, number -1
    for row in order[: rng.integers(1, len(kinds))]:
        # Never brighter: what is too faint to be told from its neighbor must stay so.
        factor[kinds[row]] = min(1.0, log_uniform(rng, FAINT) * typical.max() / max(typical[row], 1e-12))
    return replace(specimen, thickness=specimen.thickness * factor[specimen.sublattice])


def _ended(rng: np.random.Generator, specimen: Specimen, field_of_view: Range) -> Specimen:
    """End a specimen at a straight edge, a hole or a particle's rim."""
    height, width = field_of_view
    centre = rng.uniform(0.1, 0.9, 2) * np.array([height, width])
    away = specimen.yx - centre
    if rng.random() < 0.4:
        direction = rng.uniform(0, 2 * np.pi)
        return cut(specimen, away @ np.array([np.cos(direction), np.sin(direction)]) > 0)
    radius = rng.uniform(0.1, 0.45) * max(height, width)
    within = np.hypot(away[:, 0], away[:, 1]) < radius
    return cut(specimen, within if rng.random() < 0.5 else ~within)
