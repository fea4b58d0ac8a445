"""Rows that autoencoders are compared on: patches and vectors of simulated columns, and how they are turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contest_examples import turned_grains

from stemnet.analysis.contest_crystals import ContestWorld
from stemnet.analysis.contest_worlds import transition_path, turned_domains
from stemnet.analysis.recovery import angle_errors
from stemnet.descriptors.harmonics import harmonics

SIZE = 32
"""Side of a patch [px]."""
CELLS = 0.36
"""Sampling of the grains [A/px]: three cells of SrTiO3 over a patch."""
DOSE = 1000.0
"""[e-/A^2]"""


@dataclass(frozen=True)
class Task:
    """Rows to learn from and rows of another image to be judged on; the truth stays with the judge.

    Parameters
    ----------
    name : str
    invariance : "rotation" or None
    rows, held : ndarray, shape (N, H, W) or (N, D)
        Patches [electrons], or vectors [A].
    angle : ndarray or None
        Of the held rows, planted [rad].
    fold : ndarray of int or None
        Turns by 2 pi / fold leave a row as it is.
    kind : ndarray of int or None
        Planted; a model may call any orientation of a kind 0.
    """

    name: str
    invariance: str | None
    rows: np.ndarray
    held: np.ndarray
    angle: np.ndarray | None = None
    fold: np.ndarray | None = None
    kind: np.ndarray | None = None

    @property
    def guessed(self) -> float:
        """Root mean square error [deg] of angles that are guessed."""
        return float(np.sqrt(np.mean((180 / np.asarray(self.fold)) ** 2 / 3)))

    @property
    def noise(self) -> float:
        """What the counting noise of patches leaves over, as `left_over` counts; no method can leave less.

        Of pixels that were interpolated it is a little too much.
        """
        inside = harmonics(self.held.shape[1]).inside.reshape(self.held.shape[1:])
        held, known = self.held[:, inside], self.rows[:, inside]
        return float(np.sqrt(held.mean() / ((held - known.mean(axis=0)) ** 2).mean()))


def tasks(count: int, seed: int) -> tuple[Task, ...]:
    """All of them, of `count` rows each to learn from and to be judged on, half as many grains.

    Flakes of 1H, 1T and 1T' in all orientations, and grains of SrTiO3, in
    patches of 32 x 32 px, 9.6 and 11.5 A wide; vectors of cages whose centers
    move along an arc. Dose 1000 e-/A^2.
    """
    flakes = [turned_domains(np.random.default_rng([seed, image]), DOSE, SIZE) for image in (0, 1)]
    images = -(-count // 160)  # some 100 patches an image lie whole in one grain
    grains = [turned_grains(2 * seed + part, DOSE, images, SIZE, CELLS) for part in (0, 1)]
    paths = [transition_path(np.random.default_rng([seed, image]), DOSE) for image in (0, 1)]
    return (
        _task("vectors to four neighbors", None, paths, count, seed),
        _task("patches of flakes, angles not sought", None, flakes, count, seed),
        _task("patches of turned flakes", "rotation", flakes, count, seed),
        _task("patches of turned grains", "rotation", grains, count // 2, seed),
    )


def left_over(task: Task, rebuilt: np.ndarray) -> float:
    """Root mean square of what is left of the held rows, in parts of their deviation from the training rows' mean.

    Of patches the disk counts, for every method: what can be turned is a disk.
    """
    flat, again, known = (np.reshape(v, (len(v), -1)) for v in (task.held, rebuilt, task.rows))
    if task.held.ndim == 3:
        inside = harmonics(task.held.shape[1]).inside
        flat, again, known = flat[:, inside], again[:, inside], known[:, inside]
    return float(np.sqrt(((again - flat) ** 2).mean() / ((flat - known.mean(axis=0)) ** 2).mean()))


def off_by(task: Task, angle: np.ndarray) -> tuple[float, float]:
    """Error of angles [deg], root mean square and median; which way they are counted is free, the better one counts."""
    found = []
    for sign in (1, -1):
        off = np.degrees(np.abs(angle_errors(sign * angle, task.angle, task.fold, task.kind)))
        found.append((float(np.sqrt((off**2).mean())), float(np.median(off))))
    return min(found)


def _task(name: str, invariance: str | None, images: list[ContestWorld], count: int, seed: int) -> Task:
    picked = [np.random.default_rng([seed, k]).permutation(len(one))[:count] for k, one in enumerate(images)]
    rows, held = (one.rows[some] for one, some in zip(images, picked, strict=True))
    if invariance is None:
        return Task(name, None, rows, held)
    other, some = images[1], picked[1]
    kind = next((labels[some] for labels in other.labels.values()), np.zeros(len(some), int))
    return Task(name, invariance, rows, held, other.angle[some], other.fold[some], kind)
