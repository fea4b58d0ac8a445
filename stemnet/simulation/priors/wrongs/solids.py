"""How thick the specimen is, where it ends, and how it stands to the beam."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.defects.amorphous import oxidized
from stemnet.simulation.defects.nanoparticle import Ball
from stemnet.simulation.defects.shape import (
    holes,
    lobed,
    shaped,
    stepped_edge,
    terraces,
    wedge,
    with_thickness,
    without_dangling,
)
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.beam import mistilted
from stemnet.simulation.priors.draws import Range, log_uniform, uniform, unit
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, apart
from stemnet.simulation.quantities.regions import HalfPlane
from stemnet.simulation.specimen import Quantity, Specimen

FEW = 3
"""Repeats along the beam from which on a thickness matters."""
LEFT = 20
"""Columns that an edge leaves at least."""
OXIDES = ("O", "C", "Si", "Al")


@dataclass(frozen=True)
class Thick(Wrong):
    """A crystal of some thickness along the beam.

    Parameters
    ----------
    thickness : tuple of float
        [A], drawn evenly in its logarithm.
    """

    thickness: Range = (20.0, 400.0)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where the crystal has a period along the beam."""
        return growth.crystal.period is not None

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """In whole repeats."""
        repeats = max(1.0, round(log_uniform(rng, self.thickness) / float(growth.crystal.period or 1.0)))
        return replace(specimen, thickness=specimen.thickness * repeats)


@dataclass(frozen=True)
class Wedge(Wrong):
    """Thickness that rises over the frame.

    Parameters
    ----------
    low, high : tuple of float
        At the two ends, as shares of what it was.
    """

    low: Range = (0.2, 0.9)
    high: Range = (1.0, 1.8)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is thickness to lose."""
        return (
            len(specimen) > 0 and growth.crystal.period is not None and np.median(specimen.thickness) >= FEW
        )

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """In any direction."""
        middle = np.array(growth.field_of_view) / 2
        half = np.array(unit(rng)) * growth.size / 2
        base = float(np.median(specimen.thickness))
        (y0, x0), (y1, x1) = middle - half, middle + half
        low, high = uniform(rng, self.low) * base, uniform(rng, self.high) * base
        return wedge(specimen, (float(y0), float(x0)), (float(y1), float(x1)), low, high)


@dataclass(frozen=True)
class Terraces(Wrong):
    """Thickness that changes in steps.

    Parameters
    ----------
    steps : int
        Most of them.
    height : float
        Of a step, the largest share of the thickness.
    """

    steps: int = 4
    height: float = 0.25

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is thickness to lose."""
        return (
            len(specimen) > 0 and growth.crystal.period is not None and np.median(specimen.thickness) >= FEW
        )

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Up from a base, along any direction."""
        base = max(1, round(float(np.median(specimen.thickness))))
        height = int(rng.integers(1, max(1, round(base * self.height)) + 1))
        return terraces(
            specimen,
            base,
            int(rng.integers(1, self.steps + 1)),
            unit(rng),
            rng,
            height=height,
            roughness=rng.uniform(0, 1) * growth.spacing,
        )


@dataclass(frozen=True)
class Particle(Wrong):
    """The crystal as a ball or a dome.

    Parameters
    ----------
    radius : tuple of float
        As a share of the frame's size.
    """

    radius: Range = (0.15, 0.5)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where the largest one is some repeats thick."""
        period = growth.crystal.period
        return len(specimen) > 0 and period is not None and self.radius[1] * growth.size > FEW * period

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Anywhere in the frame, at the edge too."""
        period = float(growth.crystal.period or 1.0)
        least = max(self.radius[0] * growth.size, FEW * period)
        radius = uniform(rng, (least, self.radius[1] * growth.size))
        ball = Ball(growth.place(rng, 0.0), radius, half=bool(rng.random() < 0.5))
        return with_thickness(specimen, Repeats(ball, period))


@dataclass(frozen=True)
class Repeats:
    """A length in repeats.

    Parameters
    ----------
    length : Quantity
        [A]
    period : float
        [A]
    """

    length: Quantity
    period: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Thickness [repeats], (N,)."""
        return self.length(yx) / self.period


@dataclass(frozen=True)
class Attenuation(Wrong):
    """Thick columns that lose their channeling electrons on the way, the heavy ones sooner.

    Parameters
    ----------
    strength : tuple of float
        Decay of gold [1/A], drawn evenly in its logarithm.
    """

    strength: Range = (0.001, 0.02)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is a thickness in which to lose them."""
        thick = len(specimen) > 0 and np.median(specimen.thickness) >= FEW
        return bool(thick and growth.crystal.period is not None and "repeats" not in specimen.planted)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """In proportion to the atomic number."""
        decay = decay_by_number(log_uniform(rng, self.strength))
        return attenuated(specimen, decay, float(growth.crystal.period or 1.0))


@dataclass(frozen=True)
class Mistilt(Wrong):
    """A beam that is not quite along the columns.

    Parameters
    ----------
    tilt : float
        Largest [rad]; less where columns are so thick that they would run into each other.
    """

    tilt: float = 0.015

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where columns are long enough to shift, and it is known of each how long it is."""
        repeats = specimen.planted.get("repeats", specimen.thickness)
        thick = len(specimen) > 0 and np.median(repeats) >= FEW
        return bool(thick and growth.crystal.period is not None)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """In any direction."""
        period = float(growth.crystal.period or 1.0)
        longest = float(np.max(specimen.planted.get("repeats", specimen.thickness))) * period
        # The ends of a column lie the tilt times its thickness apart.
        tilt = rng.uniform(0.1, 1) * min(
            self.tilt, 2 * growth.small(0.5) / longest, 2 * growth.width / longest
        )
        y, x = unit(rng)
        decay = decay_by_number(log_uniform(rng, (0.001, 0.02)))
        return mistilted(specimen, (float(tilt * y), float(tilt * x)), decay, period)


@dataclass(frozen=True)
class Edge(Wrong):
    """The specimen ends within the frame: a straight or stepped surface, holes, an island; bare or with an oxide.

    Parameters
    ----------
    radius : tuple of float
        Of holes and islands, as a share of the frame's size.
    oxide : float
        How often the rim is covered by an amorphous film.
    """

    radius: Range = (0.1, 0.45)
    oxide: float = 0.12

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is something to end."""
        return len(specimen) >= LEFT

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Sheets lose the columns that dangle; an end that would leave next to nothing is none."""
        kind, at = rng.integers(4), growth.place(rng)
        radius = uniform(rng, self.radius) * growth.size
        if kind == 0:
            ended = shaped(specimen, HalfPlane(unit(rng), at))
        elif kind == 1:
            step = growth.spacing * uniform(rng, (0.7, 1.5))
            terrace = uniform(rng, (3.0, 10.0)) * growth.spacing
            ended = stepped_edge(specimen, through=at, normal=unit(rng), step=step, terrace=terrace, rng=rng)
        elif kind == 2:
            number = int(rng.integers(1, 4))
            centers = tuple(growth.place(rng, 0.0) for _ in range(number))
            ended = holes(specimen, centers, radius / number, rng, irregular=rng.uniform(0, 0.2))
        else:
            ended = shaped(specimen, lobed(at, radius, rng.uniform(0, 0.2), rng))
        if len(ended) < LEFT:
            return specimen
        if rng.random() < self.oxide:
            film = oxidized(
                ended,
                uniform(rng, (1.5, 5.0)) * growth.spacing,
                separation=1.05 * growth.closest,
                species=(str(rng.choice(OXIDES)), str(rng.choice(ended.species))),
                rng=rng,
                layers=1,
                share=uniform(rng, (0.3, 1.0)),
            )
            return apart(film, growth)
        if growth.crystal.period is None and rng.random() < 0.5:
            return without_dangling(ended, 2, 1.25 * growth.crystal.nearest_spacing)
        return ended
