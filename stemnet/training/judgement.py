"""Learning, on simulated images, which candidates are columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from stemnet.columns import Columns
from stemnet.detection.acceptance import believed
from stemnet.detection.candidates import Finder
from stemnet.detection.hypotheses import choose
from stemnet.detection.judge import FEATURES, Acceptance, Judge
from stemnet.detection.matching import match
from stemnet.detection.refinement import Refinement
from stemnet.detection.resampling import from_binned
from stemnet.detection.segmenter import DOUBTED, FAINT, Settings
from stemnet.detection.two_fits import FirstLook, first_look, second_look
from stemnet.models.checkpoint import Checkpoint
from stemnet.simulation.simulator import Simulator
from stemnet.training.targets import Targets

SPLIT = 3
"""Neither training, validation nor test scenes."""
TREES, LEAVES = 150, 8
DIRECTIONS = (1, 1, 0, -1, -1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0)
"""Which way each of `FEATURES` may move the probability; 0 for either."""
FEWEST = 50
"""Columns, and candidates that are none, without which nothing can be learned."""
SURE = 5.0
"""Standard errors of the height from which a candidate on a true column is no chance."""
GUESS = 0.1
"""Standard deviation of the log of the width that is told: an image's own estimate errs by as much."""
KNOWABLE = 2.0
"""Expected signal to noise from which a candidate on a true column is no chance, though nobody would ask for it."""
ALIKE = 0.25
"""Power of their number by which a scene's candidates weigh less: they are no independent examples."""
HEAVIEST = 400
"""A scene's candidates count as so many at most, else a few crowded scenes would decide."""


@dataclass(frozen=True)
class Lesson:
    """What can be learned from: features (N, 19) of candidates, whether they are columns, and their weights, (N,)."""

    known: np.ndarray
    real: np.ndarray
    weight: np.ndarray

    @property
    def enough(self) -> bool:
        """Whether there are columns, and candidates that are none."""
        return bool(FEWEST <= self.real.sum() <= len(self.real) - FEWEST)


@dataclass(frozen=True)
class _Scene:
    """A simulated scene whose candidates were fitted roughly."""

    truth: Columns
    knowable: np.ndarray
    width: float
    shape: tuple[int, ...]
    first: FirstLook

    def lesson(self, known: np.ndarray, fit: Refinement, rng: np.random.Generator) -> Lesson:
        """Rows of a fit that are columns, or are none; without those that count neither way."""
        label = np.zeros(len(known), dtype=int)
        yx = from_binned(fit.yx, self.first.start.factor)
        pairs = match(yx, self.truth.yx, self.width).pairs
        # Of what is too faint or too crowded to be asked for, what the fit made out all the same is as real.
        made_out = np.nan_to_num(fit.significance[pairs[:, 0]]) >= SURE
        label[pairs[:, 0]] = np.where(self.knowable[pairs[:, 1]] | made_out, 1, -1)
        # What is cut by the rim is neither.
        size = np.array(self.shape) - 1
        label[((yx < self.width) | (yx > size - self.width)).any(axis=1)] = -1
        rows = rng.permutation(np.flatnonzero(label >= 0))[:HEAVIEST]
        weight = np.full(len(rows), max(len(rows), 1) ** -ALIKE)
        return Lesson(known[rows], label[rows] == 1, weight)


def learn_acceptance(
    checkpoint: Checkpoint,
    simulator: Simulator,
    targets: Targets,
    count: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Judge | None, Lesson, Lesson]:
    """Find candidates on simulated scenes, fit them twice, and learn which are columns.

    On every other scene the scale and the polarity are the image's own
    estimate, right or wrong, as they will be in use.

    Parameters
    ----------
    checkpoint : Checkpoint
    simulator : Simulator
    targets : Targets
        Decides which columns can be seen; the others are left out.
    count : int
        Scenes.
    progress : callable, optional
        Called with (steps done, steps in all).

    Returns
    -------
    judge : Judge or None
        None where there were no columns, or nothing else, to learn from.
    rough, final : Lesson
        What the two fits told of their candidates.
    """
    done = 0

    def told() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, 2 * count)

    finder, scenes, lessons = Finder(checkpoint), [], []
    for number in range(count):
        scene = _roughly_known(checkpoint, finder, simulator, targets, number)
        if scene:
            scenes.append(scene)
            rng = np.random.default_rng([simulator.seed, SPLIT, number, 1])
            lessons.append(scene.lesson(scene.first.known, scene.first.start.fit, rng))
        told()
    first = _joined(lessons)
    if not first.enough:
        return None, first, first
    rough, lessons = grown(first), []
    for number, scene in enumerate(scenes):
        judged = believed(rough, scene.first.known, scene.first.start.fit, Settings().significance)
        kept = np.flatnonzero(judged >= DOUBTED)
        if len(kept):
            fit, known = second_look(scene.first, judged, kept)
            lessons.append(
                scene.lesson(known, fit, np.random.default_rng([simulator.seed, SPLIT, number, 2]))
            )
        told()
    last = _joined(lessons)
    return (Judge(rough, grown(last)) if last.enough else None), first, last


def _roughly_known(
    checkpoint: Checkpoint, finder: Finder, simulator: Simulator, targets: Targets, number: int
) -> _Scene | None:
    """One scene with its candidates; None where there are none."""
    rng = np.random.default_rng([simulator.seed, SPLIT, number])
    scene = simulator.scene(SPLIT, 0, number)
    image, truth = simulator.images([scene])[0].numpy(), scene.columns()
    width = float(np.hypot(scene.width, scene.lowpass))
    guess = width * float(np.exp(rng.normal(0, GUESS)))
    if number % 2:
        chosen = choose(image, finder, checkpoint.card.threshold)
        if chosen is None:
            return None
        guess, image = chosen.width, image * np.float32(chosen.sign)
    found = finder(image, guess, FAINT)
    if not len(found):
        return None
    knowable = replace(targets, visible=min(targets.visible, KNOWABLE)).must_be_found(truth)
    return _Scene(truth, knowable, width, image.shape, first_look(image, found.yx, found.score, guess))


def _joined(lessons: list[Lesson]) -> Lesson:
    return Lesson(
        np.concatenate([np.zeros((0, len(FEATURES))), *(lesson.known for lesson in lessons)]),
        np.concatenate([np.zeros(0, dtype=bool), *(lesson.real for lesson in lessons)]),
        np.concatenate([np.zeros(0), *(lesson.weight for lesson in lessons)]),
    )


def grown(lesson: Lesson) -> Acceptance:
    """Grow boosted trees.

    A higher score of the network, more significance, less light from neighbors
    and less misfit never make a column less probable.

    Parameters
    ----------
    lesson : Lesson

    Returns
    -------
    Acceptance
    """
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=0.08, monotonic_cst=DIRECTIONS, random_state=0
    ).fit(lesson.known, lesson.real, lesson.weight / lesson.weight.mean())
    # scikit-learn has no public way to read its histogram trees; a test holds that these say what it says.
    trees = [tree.nodes for (tree,) in model._predictors]
    most = max(len(nodes) for nodes in trees)

    def table(name: str, kind: type, rest: int) -> np.ndarray:
        filled: np.ndarray = np.full((len(trees), most), rest, dtype=kind)
        for row, nodes in zip(filled, trees, strict=True):
            row[: len(nodes)] = nodes[name]
        return filled

    leaf = table("is_leaf", bool, 1)
    return Acceptance(
        baseline=float(model._baseline_prediction.item()),
        feature=np.where(leaf, -1, table("feature_idx", int, -1)),
        threshold=np.where(leaf, 0.0, table("num_threshold", float, 0)),
        left=table("left", int, 0),
        right=table("right", int, 0),
        value=np.where(leaf, table("value", float, 0), 0.0),
    )
