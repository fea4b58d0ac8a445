"""Movies: one specimen, frame after frame, with every column's track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stemnet.columns import Columns, concatenate
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.simulation.artefacts.kinds import Ground
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.movement import Motion, Movement, Path
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.simulator import Simulation
from stemnet.simulation.specimen import Specimen

PIXELS_AT_ONCE = 2**20
"""Of the frames that are rendered together: bounds the memory."""


@dataclass(frozen=True)
class Movie:
    """A specimen that moves under a microscope; any frame can be made alone.

    Scan errors, noise and counts are drawn anew in every frame; contamination
    and the ramps of `gradient` are the same in all, and stay with the frame;
    the grain of a support is the same too, and drifts with the specimen. A
    frame is a function of the seed and its number alone.

    Parameters
    ----------
    specimen : Specimen
        At the start. It should reach beyond the frame as far as it will drift.
    microscope : Microscope
        Its dose is that of one frame.
    shape : tuple of int
        Rows and columns of a frame [px].
    frames : int
    movements : sequence of Movement
        Done in this order, drift after all others.
    seconds : float
        From one frame to the next [s].
    seed : int

    Raises
    ------
    StemnetError
        If there are no frames, or no time passes.
    """

    specimen: Specimen
    microscope: Microscope
    shape: tuple[int, int]
    frames: int
    movements: tuple[Movement, ...] = ()
    seconds: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "movements", tuple(self.movements))
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        if not (self.frames >= 1 and self.seconds > 0):
            raise StemnetError(
                f"A movie of {self.frames} frames of {self.seconds:g} s was asked for; give one or more, of a "
                "positive time."
            )

    @cached_property
    def start(self) -> Specimen:
        """The specimen with ``track`` planted, a number of its own for every column, and nothing moved yet."""
        none = np.zeros(len(self.specimen), dtype=int)
        vacant = self.specimen.vacant
        if vacant is not None:
            numbers = len(none) + np.arange(len(vacant))
            zero = np.zeros(len(vacant), dtype=int)
            vacant = vacant.with_planted(track=numbers, moved=zero, hops=zero)
        tracked = self.specimen.with_planted(track=np.arange(len(none)), moved=none, hops=none)
        return replace(tracked, vacant=vacant)

    @cached_property
    def motions(self) -> tuple[Motion, ...]:
        """The movements, drawn once for all frames."""
        return tuple(
            movement.drawn(
                self.start, self.frames, self.seconds, np.random.default_rng([self.seed, 0, number])
            )
            for number, movement in enumerate(self.movements)
        )

    @cached_property
    def drift(self) -> np.ndarray:
        """Where the specimen has drifted in the middle of each frame, (T, 2) [A]."""
        paths = [motion.positions for motion in self.motions if isinstance(motion, Path)]
        return np.sum([np.zeros((self.frames, 2)), *paths], axis=0)

    def specimen_at(self, frame: int) -> Specimen:
        """The specimen in the middle of a frame, with ``drift_y_A`` and ``drift_x_A`` planted."""
        specimen = self.start
        for motion in sorted(self.motions, key=lambda motion: isinstance(motion, Path)):
            specimen = motion(specimen, frame)
        y, x = self.drift[frame]
        return specimen.with_planted(drift_y_A=np.full(len(specimen), y), drift_x_A=np.full(len(specimen), x))

    def scene(self, frame: int) -> Scene:
        """Stage one frame."""
        if not 0 <= frame < self.frames:
            raise StemnetError(f"Frame {frame} was asked for; this movie has frames 0 to {self.frames - 1}.")
        scene = self._staged(frame)
        # Where a heavier atom turns up, the ground must not brighten with it.
        ground = scene.knots * (self._first_peak / scene.peak)
        microscope = self.microscope
        slope, tilt = np.random.default_rng([self.seed, 1]).normal(0, 1, (2, 2))
        slope = slope / max(np.hypot(*slope), 1e-9) * microscope.gradient
        grid = np.linspace(-0.5, 0.5, 9)
        level = 1 + microscope.gradient * (grid[:, None] * tilt[0] + grid[None, :] * tilt[1])
        ground += (np.clip(level, 0, None) - 1) * microscope.background * self._first_peak

        def ramp(yx: np.ndarray) -> np.ndarray:
            return np.clip(1 + (yx / np.array(self.shape) - 0.5) @ slope, 0.1, None)

        places, electrons = scene.drawn
        y, x = self.drift[frame] / microscope.sampling
        return replace(
            scene,
            support=scene.support * (self._first_peak / scene.peak),
            grain_seed=int(np.random.default_rng([self.seed, 4]).integers(2**62)),
            grain_shift=(float(y), float(x)),
            electrons=scene.electrons * ramp(scene.yx),
            drawn=(places, electrons * ramp(places)),
            knots=ground,
            view=replace(scene.view, peak=self._first_peak + float(ground.mean())),
        )

    def columns(self, scene: Scene, frame: int) -> Columns:
        """The true columns of a frame that has been staged, with ``frame``."""
        columns = scene.columns()
        return columns.with_fields(frame=np.full(len(columns), frame))

    def _staged(self, frame: int) -> Scene:
        held = [
            _Held(artefact, (self.seed, 2, number)) if isinstance(artefact, Ground) else artefact
            for number, artefact in enumerate(self.microscope.artefacts)
        ]
        drifts = [motion.artefact(frame) for motion in self.motions if isinstance(motion, Path)]
        # The ramps are laid over the staged scene, the same for all frames.
        level = replace(self.microscope, gradient=0.0, artefacts=(*held, *drifts))
        rng = np.random.default_rng([self.seed, 3, frame])
        return stage(self.specimen_at(frame), level, self.shape, rng)

    @cached_property
    def _first_peak(self) -> float:
        return self._staged(0).peak


@dataclass(frozen=True)
class _Held(Ground):
    """A ground that is the same however often it is drawn."""

    ground: Ground
    seed: tuple[int, ...]

    def knots(self, rng: np.random.Generator) -> np.ndarray:
        return self.ground.knots(np.random.default_rng(self.seed))


def simulate_movie(
    specimen: Specimen,
    microscope: Microscope,
    shape: tuple[int, int],
    frames: int,
    movements: Sequence[Movement] = (),
    *,
    seed: int,
    seconds: float = 1.0,
    name: str = "movie",
) -> Simulation:
    """Film a specimen.

    Parameters
    ----------
    specimen : Specimen
        At the start; it should reach beyond the frame as far as it will drift.
    microscope : Microscope
        Its dose is that of one frame.
    shape : tuple of int
        Rows and columns of a frame [px].
    frames : int
    movements : sequence of Movement
        From `movement` and `hopping`.
    seed : int
    seconds : float
        From one frame to the next [s].
    name : str

    Returns
    -------
    Simulation
        A stack (T, H, W); the columns of all frames, with ``frame``, ``track``
        (the same number for the same column in every frame), ``moved`` and
        ``hops`` since the frame before, ``drift_y_A`` and ``drift_x_A``.
        Metadata: ``frame_time`` [s], ``drift_A`` (T, 2), and as `simulate`.

    Raises
    ------
    StemnetError
        As `Movie` and its movements.
    """
    movie = Movie(specimen, microscope, shape, frames, tuple(movements), seconds, seed)
    many = max(1, PIXELS_AT_ONCE // (movie.shape[0] * movie.shape[1]))
    stack, tables = np.empty((frames, *movie.shape), dtype=np.float32), []
    for start in range(0, frames, many):
        numbers = range(start, min(start + many, frames))
        scenes = [movie.scene(number) for number in numbers]
        stack[start : start + len(scenes)] = render(scenes).numpy()
        tables += [movie.columns(scene, number) for scene, number in zip(scenes, numbers, strict=True)]
    metadata = {
        "dose": microscope.dose,
        "voltage": microscope.probe.voltage,
        "semi_angle": microscope.probe.semi_angle,
        "frame_time": seconds,
        "drift_A": movie.drift.tolist(),
    }
    micrograph = Micrograph(stack, microscope.sampling, name, "simulated", metadata)
    return Simulation(micrograph, concatenate(tables))
