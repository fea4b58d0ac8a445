"""Windows of several sizes beside each other: what is seen, and how sharply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from stemnet.analysis.clustering import agreement, cluster, kmeans
from stemnet.analysis.streamed import score_map
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.analysis.window_sweep import window_sweep, windows_of_sizes
from stemnet.descriptors.spectra_stream import SpectraStream
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.findings import Picture, Table
from stemnet.studies.measured import Measured
from stemnet.studies.sliding_fft_truth import labels_at, planted_maps
from stemnet.studies.sliding_fft_windows import Look

LARGEST = 1024  # side of the middle part that is swept [px]
SURROGATES = 3
LEARNED = 5000  # windows that clusters are learned from


@dataclass(frozen=True)
class Sweep:
    """Windows of several sizes on the middle of one image.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    rows : list of dict
        Of `window_sweep`, with ``ari_<label>`` for every planted label.
    maps : list of ndarray, shape (rows, columns)
        Scores of the first component.
    places : list of ndarray, shape (rows, columns, 2)
        Middles of the windows [px].
    """

    image: np.ndarray
    rows: list[dict[str, float]]
    maps: list[np.ndarray]
    places: list[np.ndarray]


def swept(
    measured: Measured,
    image: np.ndarray,
    spacing: float | None,
    cells: Sequence[float],
    notes: list[str],
    *,
    seed: int,
    **look: Unpack[Look],
) -> Sweep | None:
    """Sweep the size of the window over an image.

    Parameters
    ----------
    measured : Measured
        Its truth is read for scores only.
    image : ndarray, shape (H, W)
        The middle 1024 px count.
    spacing : float or None
        [px]; without it sizes are those of `window_sweep`.
    cells : sequence of float
        Sizes in periods.
    notes : list of str
        What stops the sweep is added here.
    seed : int
    **look
        Of `Windows`.

    Returns
    -------
    Sweep or None
        None where no size fits.
    """
    corner = [max(0, (n - LARGEST) // 2) for n in image.shape]
    part = image[corner[0] : corner[0] + LARGEST, corner[1] : corner[1] + LARGEST]
    if part.shape != image.shape:
        notes.append(f"The size of the window is swept over the middle {part.shape[0]} x {part.shape[1]} px.")
    given = {} if spacing is None else {"sizes": sorted({max(8, 4 * round(c * spacing / 4)) for c in cells})}
    try:
        rows = window_sweep(part, spacing=spacing, surrogates=SURROGATES, rng=seed, **given, **look)
    except StemnetError as error:
        notes.append(f"No sweep of the window's size: {error}")
        return None
    maps, places, truth = [], [], measured.truth
    for row, windows in zip(
        rows, windows_of_sizes(part.shape, spacing=spacing, **given, **look), strict=True
    ):
        stream = SpectraStream(part, windows)
        kept = max(1, min(16, int(row["signal"])))
        scores = StreamedPCA(kept).fit_transform(stream)
        yx = windows.centers(part.shape)
        maps.append(score_map(scores, stream.grid)[..., 0])
        places.append(yx.reshape(*stream.grid, 2))
        valid = stream.valid.ravel()
        table = Descriptors(scores, tuple(f"score{i}_1" for i in range(kept)), yx, valid, "window")
        if truth is None:
            continue
        for name, label in planted_maps(truth).items():
            found = cluster(table, kmeans(seed, 3), most=LEARNED).labels
            row[f"ari_{name}"] = agreement(found, labels_at(label, truth.field_step, yx + corner))[0]
    return Sweep(part, rows, maps, places)


def sweep_table(name: str, sweep: Sweep) -> Table:
    """The numbers of a sweep, one row for each size."""
    columns = {key: np.array([row[key] for row in sweep.rows]) for key in sweep.rows[0]}
    return Table(f"{name}_window_sweep", columns)


def sweep_picture(measured: Measured, sweep: Sweep, chosen: int) -> Picture:
    """The trade-off of contrast against resolution."""

    def draw():
        from stemnet.report.window_sweep import window_sweep_figure

        return window_sweep_figure(
            sweep.image, sweep.rows, sweep.maps, sweep.places,
            sampling=measured.micrograph.sampling, chosen=chosen, title=measured.name,
        )  # fmt: skip

    return Picture(
        f"{measured.name}_window_sweep",
        f"{measured.name}: what a larger window gains in contrast (first eigenvalue over the noise level) and loses in "
        "resolution (half the width of its weight); below, the scores of the first component.",
        draw,
    )
