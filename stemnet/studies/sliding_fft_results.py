"""Tables and pictures of sliding-window spectra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.clustering import Clustering
from stemnet.analysis.noise_floor import NoiseFloor
from stemnet.analysis.streamed import score_map
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.windows import Windows
from stemnet.studies.findings import Picture, Table
from stemnet.studies.measured import Measured

LONGEST_TABLE = 100_000  # windows written; more are thinned


@dataclass(frozen=True)
class Sliding:
    """What sliding windows found in one image.

    Parameters
    ----------
    windows : Windows
    grid : tuple of int
        Rows and columns of windows.
    valid : ndarray of bool, shape `grid`
    pca : StreamedPCA
    floor : NoiseFloor
    scores : ndarray, shape (N, k)
        Of the principal components; NaN in windows that are masked.
    factors, factor_scores : ndarray, shapes (k, D) and (N, k), or None
        Of NMF.
    clusters : Clustering or None
    """

    windows: Windows
    grid: tuple[int, int]
    valid: np.ndarray
    pca: StreamedPCA
    floor: NoiseFloor
    scores: np.ndarray
    factors: np.ndarray | None
    factor_scores: np.ndarray | None
    clusters: Clustering | None


def tables(measured: Measured, sliding: Sliding, notes: list[str]) -> list[Table]:
    """Scores of the windows, spectra of the components, and the scree."""
    return [
        _windows_table(measured, sliding, notes),
        _spectra_table(measured, sliding),
        _scree_table(measured, sliding),
    ]


def _windows_table(measured: Measured, sliding: Sliding, notes: list[str]) -> Table:
    every = int(np.ceil(np.sqrt(np.prod(sliding.grid) / LONGEST_TABLE)))
    if every > 1:
        notes.append(f"The table of windows holds every {every}. row and column of them.")
    some = np.zeros(sliding.grid, bool)
    some[::every, ::every] = True
    kept = some.ravel()
    yx = sliding.windows.centers(measured.micrograph.shape[-2:])[kept]
    values = {"y_px": yx[:, 0], "x_px": yx[:, 1]}
    values |= {f"pca{i + 1}": scores[kept].astype(float) for i, scores in enumerate(sliding.scores.T)}
    if sliding.factor_scores is not None:
        values |= {
            f"nmf{i + 1}": scores[kept].astype(float) for i, scores in enumerate(sliding.factor_scores.T)
        }
    if sliding.clusters is not None:
        values["cluster"] = sliding.clusters.labels[kept]
    return Table(f"{measured.name}_windows", values)


def _spectra_table(measured: Measured, sliding: Sliding) -> Table:
    scale = 1.0 if measured.micrograph.sampling is None else 1 / measured.micrograph.sampling
    unit = "1/px" if measured.micrograph.sampling is None else "1/A"
    frequencies = scale * sliding.windows.frequencies
    values = {f"frequency_y_{unit}": frequencies[:, 0], f"frequency_x_{unit}": frequencies[:, 1]}
    values["mean"] = sliding.pca.mean_
    values |= {f"pca{i + 1}": row for i, row in enumerate(sliding.pca.components_)}
    if sliding.factors is not None:
        values |= {f"nmf{i + 1}": row.astype(float) for i, row in enumerate(sliding.factors)}
    return Table(f"{measured.name}_component_spectra", values)


def _scree_table(measured: Measured, sliding: Sliding) -> Table:
    k = sliding.scores.shape[1]
    floor = sliding.floor
    apart = [correlation_apart(sliding, i) for i in range(k)]
    return Table(
        f"{measured.name}_scree",
        {
            "component": np.arange(1, k + 1),
            "eigenvalue": floor.eigenvalues[:k],
            "noise_eigenvalue": floor.floor[:k],
            "noise_level": np.full(k, floor.level),
            "variance_share": floor.eigenvalues[:k] / floor.eigenvalues.sum(),
            "signal": (floor.eigenvalues[:k] > floor.level).astype(int),
            "correlation_one_window_apart": np.array(apart),
        },
    )


def correlation_apart(sliding: Sliding, component: int) -> float:
    """Correlation of a map of scores with itself one window away, along both axes: windows that share no pixel."""
    scores = score_map(sliding.scores, sliding.grid)[..., component]
    away = -(-sliding.windows.size // sliding.windows.step)
    if away >= max(sliding.grid):
        return float("nan")
    off = scores - np.nanmean(scores)
    products = np.concatenate([(off[away:] * off[:-away]).ravel(), (off[:, away:] * off[:, :-away]).ravel()])
    return float(np.nanmean(products) / np.nanmean(off**2))


def pictures(measured: Measured, image: np.ndarray, sliding: Sliding) -> list[Picture]:
    """Principal components and, where there are some, non-negative factors."""

    def draw(spectra, scores, **more):
        from stemnet.report.sliding_fft import sliding_figure

        centers = sliding.windows.centers(image.shape).reshape(*sliding.grid, 2)
        return sliding_figure(
            image,
            sliding.windows.plane(sliding.pca.mean_),
            [sliding.windows.plane(row) for row in spectra],
            np.moveaxis(score_map(scores, sliding.grid), 2, 0),
            centers,
            highest=sliding.windows.orders / sliding.windows.size,
            sampling=measured.micrograph.sampling,
            title=measured.name,
            **more,
        )

    def principal():
        labels = None if sliding.clusters is None else sliding.clusters.labels.reshape(sliding.grid)
        return draw(sliding.pca.components_, sliding.scores, floor=sliding.floor, labels=labels)

    def factored():
        share = np.nanmean(sliding.factor_scores, axis=0) * sliding.factors.sum(axis=1)
        return draw(sliding.factors, sliding.factor_scores, share=share / share.sum())

    size = sliding.windows.size
    found = [
        Picture(
            f"{measured.name}_sliding_pca",
            f"{measured.name}: principal components of the spectra of windows of {size} px, spectrum beside map of "
            f"scores; {sliding.floor.n_signal} stand above the noise level, which 99 of 100 homogeneous images with "
            "the same reflections and noise stay below (bars: their mean eigenvalues); the others are in gray type.",
            principal,
        )
    ]
    if sliding.factors is not None:
        found.append(
            Picture(
                f"{measured.name}_sliding_nmf",
                f"{measured.name}: non-negative factors of the same spectra, by their share of them.",
                factored,
            )
        )
    return found
