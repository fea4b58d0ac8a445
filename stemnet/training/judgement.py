"""Learning, on simulated images, which candidates are columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from stemnet.detection.acceptance import FEATURES, Acceptance, features
from stemnet.detection.candidates import Finder
from stemnet.detection.matching import match
from stemnet.detection.resampling import from_binned
from stemnet.detection.rough_fit import roughly_fitted
from stemnet.detection.segmenter import FAINT
from stemnet.models.checkpoint import Checkpoint
from stemnet.simulation.simulator import Simulator
from stemnet.training.targets import Targets

SPLIT = 3
"""Neither training, validation nor test scenes."""
TREES, LEAVES = 120, 8
DIRECTIONS = (1, 1, 0, -1, -1, 0, 1, 0, 0)
"""Which way each of `FEATURES` may move the probability; 0 for either."""
FEWEST = 50
"""Columns, and candidates that are none, without which nothing can be learned."""
SURE = 5.0
"""Standard errors of the height from which a candidate on a true column is no chance."""
GUESS = 0.1
"""Standard deviation of the log of the width that is told: an image's own estimate errs by as much."""
HEAVIEST = 400
"""A scene's candidates count as so many at most, else a few crowded scenes would decide."""


def learn_acceptance(
    checkpoint: Checkpoint,
    simulator: Simulator,
    targets: Targets,
    count: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Acceptance | None, np.ndarray, np.ndarray]:
    """Find candidates on simulated scenes, fit them, and learn which are columns.

    Parameters
    ----------
    checkpoint : Checkpoint
    simulator : Simulator
    targets : Targets
        Decides which columns can be seen; the others are left out.
    count : int
        Scenes.
    progress : callable, optional
        Called with (scenes done, scenes in all).

    Returns
    -------
    acceptance : Acceptance or None
        None where there were no columns, or nothing else, to learn from.
    known : ndarray, shape (N, 9)
        Features of all candidates.
    real : ndarray of bool, shape (N,)
        Whether they are columns.
    """
    finder = Finder(checkpoint)
    tables, labels = [], []
    for number in range(count):
        rng = np.random.default_rng([simulator.seed, SPLIT, number])
        scene = simulator.scene(SPLIT, 0, number)
        image, truth = simulator.images([scene])[0].numpy(), scene.columns()
        width = float(np.hypot(scene.width, scene.lowpass))
        told = width * float(np.exp(rng.normal(0, GUESS)))
        found = finder(image, told, FAINT)
        if len(found):
            rough = roughly_fitted(image, found.yx, told)
            fit = rough.fit
            known = features(found.score, rough.image, fit, fit.common_width)
            label = np.zeros(len(found), dtype=int)
            yx = from_binned(fit.yx, rough.factor)
            pairs = match(yx, truth.yx, width).pairs
            # Of what is too crowded to be asked for, what the fit made out all the same is as real.
            made_out = np.nan_to_num(fit.significance[pairs[:, 0]]) >= SURE
            label[pairs[:, 0]] = np.where(targets.must_be_found(truth)[pairs[:, 1]] | made_out, 1, -1)
            # What is cut by the rim is neither.
            size = np.array(image.shape) - 1
            label[((yx < width) | (yx > size - width)).any(axis=1)] = -1
            rows = np.flatnonzero(label >= 0)
            rows = rng.permutation(rows)[:HEAVIEST]
            tables.append(known[rows])
            labels.append(label[rows] == 1)
        if progress:
            progress(number + 1, count)
    known = np.concatenate([np.zeros((0, len(FEATURES))), *tables])
    real = np.concatenate([np.zeros(0, dtype=bool), *labels])
    both = FEWEST <= real.sum() <= len(real) - FEWEST
    return grown(known, real) if both else None, known, real


def grown(known: np.ndarray, real: np.ndarray) -> Acceptance:
    """Grow boosted trees.

    A higher score of the network, more significance, less light from neighbors
    and less misfit never make a column less probable.

    Parameters
    ----------
    known : ndarray, shape (N, 9)
    real : ndarray of bool, shape (N,)

    Returns
    -------
    Acceptance
    """
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=0.08, monotonic_cst=DIRECTIONS, random_state=0
    ).fit(known, real)
    # scikit-learn has no public way to read its histogram trees; a test holds that these say what it says.
    trees = [tree.nodes for (tree,) in model._predictors]
    most = max(len(nodes) for nodes in trees)

    def table(name: str, kind: type, rest: int) -> np.ndarray:
        filled = np.full((len(trees), most), rest, dtype=kind)
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
