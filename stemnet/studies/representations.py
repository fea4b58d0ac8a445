"""Which representation finds what is there: the same patches, vectors or spectra by every method, on one sheet."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from stemnet.analysis.clustering import cluster, kmeans
from stemnet.analysis.embedding import embed
from stemnet.analysis.vae_pose import RowPose
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.described import CLEAR, each
from stemnet.studies.findings import Findings, Number, Picture, Table
from stemnet.studies.measured import Measured
from stemnet.studies.representations_numbers import Represented, numbers_of
from stemnet.studies.representations_rows import Rows, rows_of_columns, rows_of_windows

ROWS = ("patches", "probability", "vectors", "windows")


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
    rows : {"patches", "probability", "vectors", "windows"}
        Pixels on a disk around every column, less their mean, of the image or of the probability that the network
        sees, in which no intensity counts; the vectors to its neighbors; or the spectra of windows
        that slide over the image.
    center : int or None
        Sublattice that is described, the brightest 0; None for all columns.
    size : int, optional
        Side of a patch [px], by default three spacings, so that the nearest neighbors lie well within the disk that a
        rotation leaves; or of a window, by default four periods.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has enough columns, or `rows` is none of these.
    """
    if rows not in ROWS:
        raise StemnetError(f"rows={rows!r} was asked for; give {', '.join(ROWS[:-1])} or {ROWS[-1]}.")
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
    notes: list[str] = []
    if rows == "windows":
        given = rows_of_windows(measured, size, notes)
    else:
        given = rows_of_columns(measured, rows, center, size, notes)
    found: dict[str, Represented] = {}
    for name, estimator in embedders.items():
        try:
            found[name] = _represented(given.table, name, estimator, given.side, seed)
        except StemnetError as problem:
            notes.append(str(problem))
    if not found:
        raise StemnetError(notes[-1])
    numbers = numbers_of(measured.name, given, found)
    return Findings(
        _summary(measured, found, numbers),
        tuple(numbers),
        (_table(measured, given, found),),
        _pictures(measured, given.table, found, given.side),
        tuple(notes),
    )


def _represented(table: Descriptors, name: str, estimator: Any, side: int | None, seed: int) -> Represented:
    known = estimator.get_params()
    options: dict[str, object] = {"random_state": seed} if "random_state" in known else {}
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
            if not silhouette >= CLEAR
            else f"{clear} tells kinds apart most clearly"
        )
        return f"{measured.name}: {words} (silhouette {silhouette:.2f})."
    best = max(against, key=lambda n: n.value)
    method, _, what = best.quantity.partition(": ARI with ")
    return f"{measured.name}: {method} agrees best with {what} (adjusted Rand index {best.value:.2f})."


def _table(measured: Measured, given: Rows, found: Mapping[str, Represented]) -> Table:
    values = {"y_px": given.table.yx[:, 0], "x_px": given.table.yx[:, 1]}
    if given.sublattice is not None:
        values["sublattice"] = given.sublattice
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
