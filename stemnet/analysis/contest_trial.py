"""One method in a contest: fitted on a part of one image, and asked about all of it and about another."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from stemnet.analysis.contest_crystals import ContestWorld
from stemnet.descriptors.geometry import bond_angles

HELD_OUT = 0.25
"""Share of the first image's rows that no method is fitted on."""
STARTS = 5
"""Of the mixture that cuts a latent into clusters."""


@dataclass(frozen=True)
class Contestant:
    """A method that takes part.

    Parameters
    ----------
    name : str
        In tables and sentences.
    make : callable
        Called with the size of the latent, the number of clusters and a seed:
        an estimator, not fitted.
    labels : bool
        It gives labels (``predict``) instead of a latent (``transform``).
    sees : str
        ``"rows"``, flat; ``"shaped"``, patches in their shape; ``"angles"``,
        bond angles of the neighbor vectors; ``"placed"``, flat rows after the two
        numbers that say where each is.
    """

    name: str
    make: Callable[[int, int, int], Any]
    labels: bool = False
    sees: str = "rows"

    def look(self, world: ContestWorld) -> np.ndarray:
        """Rows of a world as this method is given them."""
        if self.sees == "angles":
            return bond_angles(world.vectors).values
        if self.sees == "shaped":
            return world.rows
        flat = world.rows.reshape(len(world), -1)
        return np.column_stack([world.yx, flat]) if self.sees == "placed" else flat


@dataclass(frozen=True)
class Fitted:
    """A fitted method, with what its labels come from.

    Parameters
    ----------
    model : estimator
    cut : estimator
        Gives labels: to latents; to rows where the method is a clustering.
    clusters : int
        As many as were asked for.
    labels : bool
        It is a clustering.
    """

    model: Any
    cut: Any
    clusters: int
    labels: bool

    def latent(self, rows: np.ndarray) -> np.ndarray:
        """Latent (n, d) of rows; of a clustering one indicator a cluster, (n, clusters)."""
        if self.labels:
            return (self.cut.predict(rows)[:, None] == np.arange(self.clusters)).astype(float)
        return self.model.transform(rows)

    def label(self, rows: np.ndarray) -> np.ndarray:
        """Labels (n,) of rows."""
        return self.cut.predict(rows if self.labels else self.model.transform(rows))


@dataclass(frozen=True)
class Trial:
    """All that the scores of one method are computed from.

    Parameters
    ----------
    first, second : ContestWorld
        Two images of one kind; the method was fitted on a part of the first.
    rows, other : ndarray, shape (N, ...), (M, ...)
        Both as the method was given them.
    train, held : ndarray of int
        Numbers of the rows of the first image that it was fitted on, and of those held out.
    fitted, refitted : Fitted
        On the training rows, and on as many drawn from them with replacement.
    latent, labels : ndarray, shape (N, d), (N,)
        Of the first image.
    other_latent, other_labels : ndarray, shape (M, d), (M,)
        Of the second.
    wall_s, cpu_s : float
        Of the fit, and of the latents or labels of the first image [s]; labels of latents are not counted.
    seed : int
    """

    first: ContestWorld
    second: ContestWorld
    rows: np.ndarray
    other: np.ndarray
    train: np.ndarray
    held: np.ndarray
    fitted: Fitted
    refitted: Fitted
    latent: np.ndarray
    labels: np.ndarray
    other_latent: np.ndarray
    other_labels: np.ndarray
    wall_s: float
    cpu_s: float
    seed: int


def tried(one: Contestant, first: ContestWorld, second: ContestWorld, latent: int, seed: int) -> Trial:
    """Fit a method on three quarters of the rows of the first image, and ask it about both.

    Which quarter is held out, and which rows are drawn for the second fit,
    depends on the seed alone: they are the same for all methods.
    """
    rng = np.random.default_rng(seed)
    train, held = np.split(rng.permutation(len(first)), [round((1 - HELD_OUT) * len(first))])
    drawn = rng.choice(train, len(train))
    rows, other = one.look(first), one.look(second)
    begun = time.perf_counter(), time.process_time()
    model = _learned(one, rows[train], latent, first.classes, seed)
    here = model.predict(rows) if one.labels else model.transform(rows)
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    fitted = _with_labels(one, model, rows[train], first.classes, seed)
    again = _learned(one, rows[drawn], latent, first.classes, seed + 1)
    return Trial(
        first,
        second,
        rows,
        other,
        train,
        held,
        fitted,
        _with_labels(one, again, rows[drawn], first.classes, seed + 1),
        fitted.latent(rows) if one.labels else here,
        here if one.labels else fitted.label(rows),
        fitted.latent(other),
        fitted.label(other),
        wall,
        cpu,
        seed,
    )


def _learned(one: Contestant, rows: np.ndarray, latent: int, clusters: int, seed: int) -> Any:
    model = one.make(latent, clusters, seed)
    with warnings.catch_warnings():
        # a method that has not converged by its own limits is judged as it is
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows)


def _with_labels(one: Contestant, model: Any, rows: np.ndarray, clusters: int, seed: int) -> Fitted:
    if one.labels:
        return Fitted(model, model, clusters, True)
    cut = GaussianMixture(clusters, n_init=STARTS, random_state=seed).fit(model.transform(rows))
    return Fitted(model, cut, clusters, False)
