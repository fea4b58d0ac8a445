"""What may turn up: random specimens and random microscopes for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.filtering import Filtering
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import ReadNoise, Saturation
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import ATOMIC_NUMBERS, Crystal, scattering
from stemnet.simulation.defects.point import substitutions, vacancies
from stemnet.simulation.defects.shape import cut
from stemnet.simulation.deformation import smoothly_strained, strained
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.polar import polar_shift
from stemnet.simulation.microscope import Artefact, Microscope
from stemnet.simulation.probe import Probe, core_width, transfer
from stemnet.simulation.scene import REFERENCE_CROSS_SECTION
from stemnet.simulation.specimen import Specimen, disordered, grow, nothing

Range = tuple[float, float]

KNOWN = [symbol for symbol, number in ATOMIC_NUMBERS.items() if 8 <= number <= 83]
SUBSTITUTES = ("C", "Si", "S", "Ti", "V", "Fe", "Se", "Sr", "Nb", "Mo", "Te", "La", "W", "Re", "Pt", "Bi")


def log_uniform(rng: np.random.Generator, limits: Range) -> float:
    """Draw evenly in the logarithm."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


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
        Least distance of two columns in widths of a column.
    vacancy, substitution : float
        Largest share of columns.
    strain : float
        Largest strain.
    displacement : float
        Largest polar shift and static disorder, as a share of the nearest spacing.
    edge : float
        How often the specimen ends inside the frame.
    """

    crystals: Sequence[Crystal]
    shares: dict[str, float]
    scale: Range = (0.8, 1.35)
    closest: float = 2.3
    vacancy: float = 0.12
    substitution: float = 0.2
    strain: float = 0.03
    displacement: float = 0.08
    edge: float = 0.2

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
            crystal = self._crystal(rng, kind, width)
            specimen = self._distorted(rng, crystal, field_of_view, width)
        else:
            raise StemnetError(
                f"'{kind}' is not a kind of specimen; choose crystal, lattice, disordered, sparse or empty."
            )
        if len(specimen) and rng.random() < self.edge:
            specimen = _ended(rng, specimen, field_of_view)
        return specimen

    def _crystal(self, rng: np.random.Generator, kind: str, width: float) -> Crystal:
        if kind == "crystal":
            crystal = self.crystals[int(rng.integers(len(self.crystals)))]
            factor = log_uniform(rng, self.scale)
        else:
            crystal = _invented(rng)
            factor = width * log_uniform(rng, (self.closest, 9)) / crystal.nearest_spacing
        factor = max(factor, self.closest * width / crystal.nearest_spacing)
        return crystal.scaled(factor)

    def _distorted(
        self, rng: np.random.Generator, crystal: Crystal, field_of_view: Range, width: float
    ) -> Specimen:
        specimen = grow(
            crystal,
            field_of_view,
            orientation=rng.uniform(0, 2 * np.pi),
            origin=tuple(rng.uniform(0, 1, 2)),
            margin=12 * width,
        )
        if rng.random() < 0.5:
            specimen = vacancies(specimen, rng.uniform(0, self.vacancy), rng)
        if rng.random() < 0.5:
            specimen = substitutions(
                specimen,
                rng.uniform(0, self.substitution),
                str(rng.choice(SUBSTITUTES)),
                int(rng.choice(crystal.sublattices)),
                rng,
            )
        if rng.random() < 0.5:
            specimen = strained(specimen, rng.uniform(-self.strain, self.strain, (2, 2)))
        if rng.random() < 0.5:
            specimen = smoothly_strained(
                specimen, rng.uniform(0, self.strain / 2), max(field_of_view) / 2, rng
            )
        room = crystal.nearest_spacing - self.closest * width * 0.9
        if room > 0:
            largest = min(self.displacement * crystal.nearest_spacing, room)
            if rng.random() < 0.5:
                direction = rng.uniform(0, 2 * np.pi)
                shift = rng.uniform(0, largest) * np.array([np.cos(direction), np.sin(direction)])
                specimen = polar_shift(specimen, int(rng.choice(crystal.sublattices)), shift)
            specimen = thermal_disorder(specimen, rng.uniform(0, largest / 3), rng)
        brightness = np.exp(rng.normal(0, 0.4, max(crystal.sublattices) + 1))[specimen.sublattice]
        thickness = brightness * np.exp(rng.normal(0, rng.uniform(0, 0.12), len(specimen)))
        return replace(specimen, thickness=thickness)


def _invented(rng: np.random.Generator) -> Crystal:
    """A random plane lattice of one to four columns a cell, none too close."""
    angle = rng.uniform(np.pi / 3, 2 * np.pi / 3)
    ratio = rng.uniform(0.6, 1.0)
    cell = np.array([[1.0, 0.0], [ratio * np.cos(angle), ratio * np.sin(angle)]])
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    sites = [np.zeros(2)]
    for site in rng.uniform(0, 1, (rng.integers(0, 6), 2)):
        apart = (site - np.array(sites)[:, None] + steps) @ cell
        if len(sites) < 4 and np.hypot(apart[..., 0], apart[..., 1]).min() > 0.28:
            sites.append(site)
    elements = rng.choice(KNOWN, len(sites))
    return Crystal(
        "invented",
        ((1.0, 0.0), (float(cell[1, 0]), float(cell[1, 1]))),
        tuple((float(y), float(x)) for y, x in sites),
        tuple(str(e) for e in elements),
        tuple(range(len(sites))),
    )


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


@dataclass(frozen=True)
class MicroscopePrior:
    """Random microscopes and acquisition settings.

    Parameters
    ----------
    voltages : sequence of float
        [kV]
    semi_angle : tuple of float
        [mrad]
    defocus, astigmatism, coma : float
        Standard deviations [A].
    source_size : tuple of float
        Full width at half maximum [A].
    width : tuple of float
        Sigma of a column's image [px], drawn evenly in its logarithm; with the
        probe's size it decides the sampling.
    electrons : tuple of float
        Expected electrons in the brightest column, drawn evenly in the
        logarithm; decides the dose.
    background : tuple of float
        Share of the brightest peak, drawn evenly in the logarithm.
    rough : float
        How often each of the artefacts is present.
    """

    voltages: Sequence[float] = (60.0, 80.0, 100.0, 200.0, 300.0)
    semi_angle: Range = (18.0, 36.0)
    defocus: float = 25.0
    astigmatism: float = 15.0
    coma: float = 300.0
    source_size: Range = (0.4, 1.1)
    width: Range = (1.4, 6.5)
    electrons: Range = (40.0, 30000.0)
    background: Range = (0.02, 2.0)
    rough: float = 0.35

    def draw(self, rng: np.random.Generator) -> tuple[Microscope, float, float]:
        """Draw a microscope whose dose is not set yet.

        Returns
        -------
        microscope : Microscope
        width : float
            Sigma of a column's image [A].
        electrons : float
            Wanted in the brightest column.
        """

        probe = Probe(
            voltage=float(rng.choice(self.voltages)),
            semi_angle=rng.uniform(*self.semi_angle),
            defocus=rng.normal(0, self.defocus),
            astigmatism=abs(rng.normal(0, self.astigmatism)),
            astigmatism_angle=rng.uniform(0, np.pi),
            coma=abs(rng.normal(0, self.coma)),
            coma_angle=rng.uniform(0, 2 * np.pi),
            source_size=rng.uniform(*self.source_size),
            tails=rng.uniform(0, 0.4) if rng.random() < self.rough else 0.0,
        )
        smearing = rng.uniform(0.05, 0.12)
        width = core_width(*transfer(probe), probe.source_size, smearing)
        width_px = log_uniform(rng, self.width)
        sampling = width / width_px
        microscope = Microscope(
            probe=probe,
            sampling=sampling,
            smearing=smearing,
            exponent=rng.uniform(1.5, 2.0),
            background=log_uniform(rng, self.background),
            gradient=rng.uniform(0, 0.8) if rng.random() < self.rough else 0.0,
            artefacts=self._artefacts(rng, width, sampling),
        )
        return microscope, width, log_uniform(rng, self.electrons)

    def _artefacts(self, rng: np.random.Generator, width: float, sampling: float) -> tuple[Artefact, ...]:
        """Draw what goes wrong: each artefact is there or not."""
        width_px = width / sampling
        possible: list[Callable[[], Artefact]] = [
            lambda: Contamination(log_uniform(rng, (0.02, 0.6))),
            lambda: Support(log_uniform(rng, (0.02, 0.5)), log_uniform(rng, (0.3, 3.0)) * width),
            lambda: LineJitter(rng.uniform(0, 0.3) * width, rng.uniform(0, 0.9)),
            lambda: Drift(rng.normal(0, 4) * sampling, rng.normal(0, 4) * sampling),
            lambda: Wander(rng.uniform(0, 1.5) * sampling),
            lambda: Flyback(rng.normal(0, 1.5) * sampling, log_uniform(rng, (0.02, 0.2))),
            lambda: Hum(
                rng.uniform(0, 0.3) * sampling,
                rng.uniform(0, 0.8) * sampling,
                float(rng.choice([50.0, 60.0])),
                log_uniform(rng, (1.0, 40.0)),
            ),
            lambda: Flicker(log_uniform(rng, (0.003, 0.06))),
            lambda: ReadNoise(log_uniform(rng, (0.1, 5.0))),
            lambda: Afterglow(rng.uniform(0, 0.3)),
            lambda: Filtering(rng.uniform(0.2, 0.8) * width_px, rng.uniform(0, 1.5) * rng.integers(2)),
        ]
        drawn = [draw() for draw in possible if rng.random() < self.rough]
        if rng.random() < self.rough / 4:
            drawn.append(Saturation(rng.uniform(0.75, 1.1)))
        return tuple(drawn)


def dosed(microscope: Microscope, specimen: Specimen, electrons: float) -> Microscope:
    """Set the dose so that the brightest column holds an expected number of electrons."""
    relative = scattering(specimen.species, microscope.exponent) * specimen.thickness if len(specimen) else []
    brightest = float(np.max(relative, initial=0.0)) or 42.0**microscope.exponent
    return replace(
        microscope, dose=electrons * 42.0**microscope.exponent / (REFERENCE_CROSS_SECTION * brightest)
    )
