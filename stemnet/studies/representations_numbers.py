"""What each representation is worth in numbers, against what was planted where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemnet.analysis.clustering import Clustering, agreement, cluster, kmeans
from stemnet.analysis.embedding import Embedding
from stemnet.analysis.vae_pose import RowPose
from stemnet.descriptors.table import Descriptors
from stemnet.studies.findings import Number
from stemnet.studies.representations_rows import Rows


@dataclass(frozen=True)
class Represented:
    """One method's answer.

    Parameters
    ----------
    embedding : Embedding
    clustering : Clustering
        k-means of its latent.
    pose : RowPose or None
        On the rows of the columns, of methods that know how a row lies; NaN where not valid.
    fold : int
        Angles are known to a multiple of an nth of a turn.
    seconds : float
        Of process time, for the fit.
    """

    embedding: Embedding
    clustering: Clustering
    pose: RowPose | None
    fold: int
    seconds: float

    @property
    def turn(self) -> np.ndarray:
        """Angle within its symmetry, folded to a whole turn, (N,) [rad]; NaN where not known."""
        if self.pose is None:
            return np.full(len(self.embedding.latent), np.nan)
        return np.angle(np.exp(1j * self.fold * self.pose.angle))


def numbers_of(name: str, given: Rows, found: Mapping[str, Represented]) -> list[Number]:
    """Errors, clusters and times; with a truth, agreement with planted labels and errors of angles."""
    numbers = []
    for method, one in found.items():
        numbers += [
            Number(name, f"{method}: reconstruction error", one.embedding.reconstruction_error, _unit(one)),
            Number(name, f"{method}: clusters", float(one.clustering.n_clusters)),
            Number(name, f"{method}: silhouette", one.clustering.silhouette),
            Number(name, f"{method}: fit", one.seconds, "CPU s"),
        ]
        if one.fold > 1:
            numbers.append(Number(name, f"{method}: symmetry of what is decoded", float(one.fold)))
    for label, planted in given.labels.items():
        for method, one in found.items():
            ari = agreement(one.clustering.labels, planted)[0]
            numbers.append(Number(name, f"{method}: ARI with planted {label}", ari))
            if one.pose is not None:
                turned = agreement(_by_angle(one), planted)[0]
                numbers.append(Number(name, f"{method} angle: ARI with planted {label}", turned))
    if given.orientation is not None:
        numbers += _angle_errors(name, given.orientation, found)
    return numbers


def _unit(one: Represented) -> str:
    unit = one.embedding.descriptors.names[0].rsplit("_", 1)[-1]
    return {"au": "image units", "1": ""}.get(unit, unit)


def _by_angle(one: Represented) -> np.ndarray:
    """Clusters (N,) of the angle alone, on its circle."""
    circle = np.column_stack([np.cos(one.turn), np.sin(one.turn)])
    table = one.embedding.descriptors
    return cluster(Descriptors(circle, ("cos_1", "sin_1"), table.yx, table.valid), kmeans(0)).labels


def _angle_errors(name: str, planted: np.ndarray, found: Mapping[str, Represented]) -> list[Number]:
    numbers = []
    for method, one in found.items():
        if one.pose is None:
            continue
        apart = np.exp(1j * (one.turn - one.fold * planted))[np.isfinite(one.turn) & np.isfinite(planted)]
        # the orientation that is decoded is a matter of convention
        off = np.angle(apart / apart.mean()) / one.fold
        error = float(np.degrees(np.median(np.abs(off))) / 0.6745)
        words = f"{method}: error of the angle (robust standard deviation)"
        numbers.append(Number(name, words, error, "deg", most=3.0))
    return numbers
