"""Where a dataset's images come from: random specimens, one crystal, a world, movies of these.

A source gives example `index` of a seed and a split, the same whatever was made
before it, in whichever process.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import Protocol

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation import worlds
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.adatoms import adatoms, sites_on
from stemnet.simulation.defects.point import vacancies
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import grow
from stemnet.simulation.hopping import Hopping, VacancyHopping
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.movement import DriftPath, Movement, Shift, carried
from stemnet.simulation.movie import Movie
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.priors import dosed
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.specimen import Specimen, nothing

Range = tuple[float, float]


class Drawer(Protocol):
    """What draws specimens: `SpecimenPrior`, `OneCrystal`."""

    def draw(self, rng: np.random.Generator, field_of_view: Range, width: float) -> Specimen: ...  # noqa: D102


class Instruments(Protocol):
    """What draws microscopes: `MicroscopePrior`."""

    def draw(self, rng: np.random.Generator) -> tuple[Microscope, float, float]: ...  # noqa: D102


@dataclass(frozen=True)
class Example:
    """One image before it is rendered.

    Parameters
    ----------
    scene : Scene
    microscope : Microscope
    numbers : mapping of str to int or float
        What else is to be known of it: its index; of a movie its number, frame and time.
    """

    scene: Scene
    microscope: Microscope
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Subject:
    """What is to be imaged, and how; a `World` serves as well."""

    specimen: Specimen
    microscope: Microscope
    shape: tuple[int, int]


@dataclass(frozen=True)
class OneCrystal:
    """Specimens of one crystal with its true lattice constants, in a random place.

    Parameters
    ----------
    crystal : Crystal
    thickness : float, optional
        Along the beam [A]; one repeat if it is not given.
    orientation : float, optional
        Of the cell, from y towards x [degrees]; drawn if it is not given.
    vacancy : float
        Share of the columns that lose atoms.
    disorder : float
        Static displacements, root mean square an axis [A].
    """

    crystal: Crystal
    thickness: float | None = None
    orientation: float | None = None
    vacancy: float = 0.0
    disorder: float = 0.0

    def draw(self, rng: np.random.Generator, field_of_view: Range, width: float) -> Specimen:
        """Draw a specimen; mixed and partly filled sites are drawn too."""
        orientation = rng.uniform(0, 2 * np.pi) if self.orientation is None else np.deg2rad(self.orientation)
        specimen = grow(
            self.crystal,
            field_of_view,
            orientation=float(orientation),
            origin=tuple(rng.uniform(0, 1, 2)),
            margin=max(10.0, 12 * width),
            thickness=self.thickness,
        )
        specimen = drawn_contents(specimen, rng)
        if self.vacancy:
            specimen = vacancies(specimen, self.vacancy, rng)
        return thermal_disorder(specimen, self.disorder, rng) if self.disorder else specimen


@dataclass(frozen=True)
class Drawn:
    """Random specimens under random microscopes, as in training.

    Parameters
    ----------
    specimen : Drawer
    microscope : Instruments
    shape : tuple of int
        Rows and columns [px].
    sampling : float, optional
        [A/px]; as the microscope is drawn if it is not given.
    dose : float, optional
        [e-/A^2]; as the microscope is drawn if it is not given.
    """

    specimen: Drawer
    microscope: Instruments
    shape: tuple[int, int]
    sampling: float | None = None
    dose: float | None = None

    def __call__(self, rng: np.random.Generator, room: float = 0.0) -> Subject:
        """Draw one; `room` is specimen beyond the frame on every side, to drift into [A]."""
        microscope, width, electrons = self.microscope.draw(rng)
        if self.sampling is not None:
            microscope = replace(microscope, sampling=self.sampling)
        height, wide = (length * microscope.sampling + 2 * room for length in self.shape)
        specimen = self.specimen.draw(rng, (height, wide), width)
        if room:
            specimen = carried(specimen, Shift(-room, -room))
        microscope = dosed(microscope, specimen, electrons)
        return Subject(specimen, _dosed(microscope, self.dose), self.shape)


@dataclass(frozen=True)
class NamedWorld:
    """One of the worlds: a whole measurement.

    Parameters
    ----------
    name : str
    shape, sampling, dose : optional
        As in `Drawn`; the world's own where they are not given.

    Raises
    ------
    StemnetError
        If there is no such world.
    """

    name: str
    shape: tuple[int, int] | None = None
    sampling: float | None = None
    dose: float | None = None

    def __post_init__(self) -> None:
        if self.name not in _worlds():
            raise StemnetError(
                f"There is no world called '{self.name}'. Choose one of: {', '.join(_worlds())}."
            )

    def __call__(self, rng: np.random.Generator, room: float = 0.0) -> Subject:
        """Draw one; a world has the room that it has."""
        given = {"shape": self.shape, "sampling": self.sampling}
        world = _worlds()[self.name](rng, **{key: value for key, value in given.items() if value is not None})
        return Subject(world.specimen, _dosed(world.microscope, self.dose), world.shape)


def _worlds() -> dict[str, Callable]:
    """The functions of the worlds' modules that return a `World`, by name."""
    found = {}
    for part in pkgutil.iter_modules(worlds.__path__):
        module = import_module(f"{worlds.__name__}.{part.name}")
        for name, made in inspect.getmembers(module, inspect.isfunction):
            returned = made.__annotations__.get("return")
            if made.__module__ == module.__name__ and returned == "World" and not name.startswith("_"):
                found[name] = made
    return dict(sorted(found.items()))


def _dosed(microscope: Microscope, dose: float | None) -> Microscope:
    return microscope if dose is None else replace(microscope, dose=dose)


@dataclass(frozen=True)
class Stills:
    """Single images.

    Parameters
    ----------
    subject : callable
        Draws what is imaged: `Drawn`, `NamedWorld`.
    seed : int
    split : int
        0 training, 1 validation, 2 test: numbers that have no example in common.
    """

    subject: Callable[..., Subject]
    seed: int
    split: int = 0

    def example(self, index: int) -> Example:
        """Example `index`, a function of (seed, split, index) alone."""
        rng = np.random.default_rng([self.seed, self.split, 0, index])
        subject = self.subject(rng)
        scene = stage(subject.specimen, subject.microscope, subject.shape, rng)
        return Example(scene, subject.microscope, {"index": index})


@dataclass(frozen=True)
class Motions:
    """What moves in a movie, in numbers for a config.

    Parameters
    ----------
    drift : tuple of float
        Steady, along y and x [A/s].
    unsteadiness : float
        Of the drift's velocity, root mean square an axis [A/s].
    memory : float
        Correlation time of that [s].
    adatoms : float
        Single atoms on the specimen, as a share of its hollow sites, between which they hop.
    adatom : str
        Their species.
    hop_rate : float
        Of an adatom [1/s].
    vacancy_rate : float
        Hops of a vacancy [1/s], where the specimen has any.
    """

    drift: Range = (0.0, 0.0)
    unsteadiness: float = 0.0
    memory: float = 10.0
    adatoms: float = 0.0
    adatom: str = "Pt"
    hop_rate: float = 0.1
    vacancy_rate: float = 0.0

    def path(self) -> DriftPath:
        """The drift."""
        return DriftPath((float(self.drift[0]), float(self.drift[1])), self.unsteadiness, self.memory)

    def set_up(self, specimen: Specimen, rng: np.random.Generator) -> tuple[Specimen, tuple[Movement, ...]]:
        """A specimen with its adatoms, and what moves of it besides the drift."""
        movements: list[Movement] = []
        if self.vacancy_rate and specimen.vacant is not None and len(specimen.vacant):
            movements.append(VacancyHopping(self.vacancy_rate))
        if self.adatoms and len(specimen) > 3:
            sites = tuple((float(y), float(x)) for y, x in sites_on(specimen, "hollow"))
            bare = len(specimen)
            specimen = adatoms(specimen, self.adatoms, self.adatom, rng, site="hollow")
            rows = tuple(range(bare, len(specimen)))
            if len(sites) > 1 and rows:
                movements.append(Hopping(rows, sites, self.hop_rate))
        return specimen, tuple(movements)


@dataclass(frozen=True)
class Movies:
    """Movies, one after the other: image i is frame i % frames of movie i // frames.

    Parameters
    ----------
    subject, seed, split
        As in `Stills`: what moves in a movie, and how its start was drawn.
    frames : int
        Of a movie.
    motions : Motions
    seconds : float
        From one frame to the next [s].
    """

    subject: Callable[..., Subject]
    seed: int
    split: int
    frames: int
    motions: Motions
    seconds: float = 1.0
    _last: dict[int, Movie] = field(default_factory=dict, compare=False, repr=False)

    def movie(self, number: int) -> Movie:
        """Movie `number`, a function of (seed, split, number) alone."""
        if number not in self._last:
            self._last.clear()
            self._last[number] = self._made(number)
        return self._last[number]

    def _made(self, number: int) -> Movie:
        seed = int(np.random.SeedSequence([self.seed, self.split, number]).generate_state(1)[0])
        rng = np.random.default_rng([self.seed, self.split, 0, number])
        path = self.motions.path()
        draw = partial(Movie, frames=self.frames, seconds=self.seconds, seed=seed)
        # The drift does not look at the specimen: it is drawn first, to know how much is needed.
        drift = draw(nothing(), Microscope(), (1, 1), movements=(path,)).drift
        subject = self.subject(rng, float(np.abs(drift).max()))
        specimen, movements = self.motions.set_up(subject.specimen, rng)
        return draw(specimen, subject.microscope, subject.shape, movements=(path, *movements))

    def example(self, index: int) -> Example:
        """Image `index`."""
        number, frame = divmod(index, self.frames)
        movie = self.movie(number)
        scene = movie.scene(frame)
        numbers = {"index": index, "movie": number, "frame": frame, "time": frame * self.seconds}
        return Example(scene, movie.microscope, numbers)
