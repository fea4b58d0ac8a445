"""Which representation finds what is there: the same patches or neighbor vectors by every method, on one sheet."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from stemnet.analysis.clustering import cluster, kmeans
from stemnet.analysis.embedding import embed
from stemnet.analysis.vae_pose import RowPose
from stemnet.columns import Columns
from stemnet.descriptors.neighbors import lattice_of, neighbor_vectors
from stemnet.descriptors.patches import column_patches, patch_size
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Number, Picture, Table
from stemnet.studies.framework import DOUBTFUL, brighter, find_framework
from stemnet.studies.measured import Measured
from stemnet.studies.representations_numbers import Represented, numbers_of


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    embedders: Mapping[str, Any],
    rows: str = "patches",
    center: int | None = 0,
    size: int | None = None,
) -> Findings:
    """Embed what lies around every column by every method, cluster it, and hold it against what was planted.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of every method that is random.
    embedders : mapping of str to transformer
        Methods by name, of the scikit-learn contract.
    rows : {"patches", "vectors"}
        Pixels on a disk around every column, less their mean, or the vectors to its neighbors.
    center : int or None
        Sublattice that is described, the brightest 0; None for all columns.
    size : int, optional
        Side of a patch [px]; by default three spacings, so that the nearest neighbors lie well within the disk that
        a rotation leaves.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has enough columns, or `rows` is neither.
    """
    if rows not in ("patches", "vectors"):
        raise StemnetError(f"rows={rows!r} was asked for; give patches or vectors.")
    return each(inputs, partial(_one, seed=seed, embedders=embedders, rows=rows, center=center, size=size))


def _one(
    measured: Measured,
    *,
    seed: int,
    embedders: Mapping[str, Any],
    rows: str,
    center: int | None,
    size: int | None,
) -> Findings:
    frame = find_framework(first_frame(measured))
    columns, notes = frame.columns, [frame.note] if frame.note else []
    described = _described(columns, center)
    if rows == "patches":
        table = _disks(
            column_patches(columns, measured.micrograph.frames[0], size or patch_size(columns)),
            described,
        )
        side: int | None = round(table.values.shape[1] ** 0.5)
    else:
        table, side = neighbor_vectors(columns, center=center, lattice=frame.lattice), None
    found: dict[str, Represented] = {}
    for name, estimator in embedders.items():
        try:
            found[name] = _represented(table, name, estimator, side, seed)
        except StemnetError as problem:
            notes.append(str(problem))
    if not found:
        raise StemnetError(notes[-1])
    numbers = numbers_of(measured, found)
    return Findings(
        _summary(measured, found, numbers),
        tuple(numbers),
        (_table(measured, columns, found),),
        _pictures(measured, table, found, side),
        tuple(notes),
    )


def _described(columns: Columns, center: int | None) -> np.ndarray:
    """Which columns are described, (N,): a sublattice, or of several grains the brighter columns."""
    if center is None:
        return np.ones(len(columns), bool)
    whole = lattice_of(columns)
    if whole is None or whole.confidence < DOUBTFUL:
        # the lattice of one grain says nothing of the sublattices of the others
        return brighter(columns)
    return np.asarray(columns["sublattice"]) == center


def _disks(table: Descriptors, described: np.ndarray) -> Descriptors:
    """Patches on the disk that every rotation leaves, less their mean level there, which thickness and ground make."""
    side = round(table.values.shape[1] ** 0.5)
    axis = np.arange(side) - (side - 1) / 2
    inside = (np.hypot(*np.meshgrid(axis, axis, indexing="ij")) <= side / 2).ravel()
    level = table.values[:, inside].mean(axis=1, keepdims=True)
    valid = table.valid & described
    values = np.where(inside, table.values - level, 0.0)
    return Descriptors(np.where(valid[:, None], values, np.nan), table.names, table.yx, valid, table.row)


def _represented(table: Descriptors, name: str, estimator: Any, side: int | None, seed: int) -> Represented:
    known = estimator.get_params()
    options = {"random_state": seed} if "random_state" in known else {}
    if side is not None and "patch_shape" in known:
        options["patch_shape"] = (side, side)
    began = time.process_time()
    embedding = embed(table, estimator.set_params(**options), name)
    seconds = time.process_time() - began
    latent = Descriptors(
        embedding.latent,
        tuple(f"{name}_{i}" for i in range(embedding.latent.shape[1])),
        table.yx,
        table.valid,
    )
    pose, fold = None, 1
    if getattr(embedding.model, "invariance", None) is not None:
        pose, fold = _on_rows(embedding.model.pose(table.complete), table.valid), embedding.model.fold_
    return Represented(embedding, cluster(latent, kmeans(seed), method=name), pose, fold, seconds)


def _on_rows(pose: RowPose, valid: np.ndarray) -> RowPose:
    """A pose of the valid rows on all rows, NaN elsewhere."""
    angle, sigma = np.full((2, len(valid)), np.nan)
    angle[valid], sigma[valid] = pose.angle, pose.angle_sigma
    return RowPose(angle, sigma)


def _summary(measured: Measured, found: Mapping[str, Represented], numbers: list[Number]) -> str:
    against = [n for n in numbers if "ARI" in n.quantity and np.isfinite(n.value)]
    if not against:
        clear = max(found, key=lambda method: np.nan_to_num(found[method].clustering.silhouette, nan=-1.0))
        silhouette = found[clear].clustering.silhouette
        words = (
            "no method sees clear kinds"
            if not silhouette > 0.5
            else f"{clear} tells kinds apart most clearly"
        )
        return f"{measured.name}: {words} (silhouette {silhouette:.2f})."
    best = max(against, key=lambda n: n.value)
    method, _, what = best.quantity.partition(": ARI with ")
    return f"{measured.name}: {method} agrees best with {what} (adjusted Rand index {best.value:.2f})."


def _table(measured: Measured, columns: Columns, found: Mapping[str, Represented]) -> Table:
    values = {"y_px": columns.yx[:, 0], "x_px": columns.yx[:, 1], "sublattice": columns["sublattice"]}
    for method, one in found.items():
        values |= {f"{method}_{i}": one.embedding.latent[:, i] for i in range(one.embedding.latent.shape[1])}
        values[f"{method}_cluster"] = one.clustering.labels
        if one.pose is not None:
            values |= {
                f"{method}_angle_rad": one.pose.angle,
                f"{method}_angle_sigma_rad": one.pose.angle_sigma,
            }
    return Table(f"{measured.name}_representations", values)


def _pictures(
    measured: Measured, table: Descriptors, found: Mapping[str, Represented], side: int | None
) -> tuple[Picture, ...]:
    def sheet():
        from stemnet.report.representations import representations_figure

        return representations_figure(
            measured.micrograph.frames[0],
            table.yx,
            {method: one.embedding.latent for method, one in found.items()},
            {method: one.clustering.labels for method, one in found.items()},
            {method: one.turn for method, one in found.items() if one.pose is not None},
            sampling=measured.micrograph.sampling,
            title=measured.name,
        )

    pictures = [
        Picture(
            f"{measured.name}_representations",
            f"{measured.name}: latents, clusters and angles by every method, on the same rows.",
            sheet,
        )
    ]
    if side is not None:
        for method, one in found.items():
            pictures.append(_manifold(measured, method, one, side))
    return tuple(pictures)


def _manifold(measured: Measured, method: str, one: Represented, side: int) -> Picture:
    def draw():
        from stemnet.report.manifold import manifold_figure

        latent = one.embedding.latent[one.embedding.descriptors.valid]
        return manifold_figure(
            latent,
            lambda z: np.asarray(one.embedding.model.inverse_transform(z)).reshape(len(z), side, side),
            labels=one.clustering.labels[one.embedding.descriptors.valid],
            sampling=measured.micrograph.sampling,
            title=f"{measured.name}, {method}",
        )

    return Picture(
        f"{measured.name}_{method}_manifold",
        f"{measured.name}: patches that {method} decodes over its latent, its latent scatter, and traversals.",
        draw,
    )
