"""Sliding-window spectra: their components, where signal ends and noise begins, and the regions they tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from stemnet.analysis.clustering import Clustering, cluster, kmeans, mixture
from stemnet.analysis.noise_floor import SURROGATES, NoiseFloor, surrogate_floor
from stemnet.analysis.streamed import COMPONENTS
from stemnet.analysis.streamed_nmf import StreamedNMF
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.spectra_stream import SpectraStream
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError
from stemnet.studies.described import each, kinds_in_words
from stemnet.studies.findings import NAN, Findings, Number
from stemnet.studies.measured import Measured
from stemnet.studies.sliding_fft_results import Sliding, pictures, tables
from stemnet.studies.sliding_fft_sweep import Sweep, sweep_picture, sweep_table, swept
from stemnet.studies.sliding_fft_truth import against_planted
from stemnet.studies.sliding_fft_windows import Look, first_image, spacing_of, suitable_windows

LEARNED = 20000  # windows that clusters are learned from; the others are told which they belong to


@dataclass(frozen=True)
class Asked:
    """What a study of sliding windows is asked for; see `study`."""

    window: int | None
    step: int | None
    cells: float
    apodization: str
    log: bool
    components: int
    nmf: bool
    clustering: str
    clusters: int | None
    surrogates: int
    sweep: tuple[float, ...]
    seed: int


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    window: int | None = None,
    step: int | None = None,
    cells: float = 4,
    apodization: str = "hann",
    log: bool = True,
    components: int = COMPONENTS,
    nmf: bool = True,
    clustering: str = "kmeans",
    clusters: int | None = None,
    surrogates: int = SURROGATES,
    sweep: Sequence[float] = (2, 3, 4, 6, 8),
) -> Findings:
    """Take images apart by the spectra of windows that slide over them.

    Parameters
    ----------
    inputs : sequence of Measured
        Columns size the windows where they show a lattice; nothing else depends
        on them.
    seed : int
        Of the surrogates, of NMF and of clusters.
    window, step : int, optional
        Side of a window, and from one to the next [px]; by default `cells`
        periods of the lattice, and an eighth of that.
    cells : float
    apodization : "hann" or "none"
    log : bool
        log(1 + magnitude), in which weak reflections count beside strong ones.
    components : int
        Of PCA and of NMF.
    nmf : bool
        Whether non-negative factors are drawn beside principal components.
    clustering : "kmeans" or "gmm"
    clusters : int, optional
        By default the number of best silhouette, 2 to 6.
    surrogates : int
        Homogeneous images that the noise floor is measured on.
    sweep : sequence of float
        Sizes of windows that are compared [periods]; none for no comparison.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If a setting has no meaning, or no input can be studied.
    """
    if clustering not in ("kmeans", "gmm"):
        raise StemnetError(f"clustering={clustering!r} is unknown; use kmeans or gmm.")
    asked = Asked(
        window, step, cells, apodization, log, components, nmf, clustering, clusters, surrogates,
        tuple(sweep), seed,
    )  # fmt: skip
    return each(inputs, partial(_one, asked=asked))


def _one(measured: Measured, *, asked: Asked) -> Findings:
    notes: list[str] = []
    image = first_image(measured, notes)
    spacing = spacing_of(measured, image, notes)
    look = Look(apodization=asked.apodization, log=asked.log)
    windows = suitable_windows(
        image.shape, spacing, notes, size=asked.window, step=asked.step, cells=asked.cells, **look
    )
    sliding = _slid(image, windows, asked, notes)
    sweep = (
        swept(measured, image, spacing, asked.sweep, notes, seed=asked.seed, **look) if asked.sweep else None
    )
    numbers = [
        *_about_windows(measured, sliding, spacing),
        *_about_components(measured, sliding),
        *_about_clusters(measured, sliding),
        *_about_sizes(measured, sweep),
    ]
    swept_table = () if sweep is None else (sweep_table(measured.name, sweep),)
    swept_picture = () if sweep is None else (sweep_picture(measured, sweep, windows.size),)
    return Findings(
        _sentence(measured, sliding),
        tuple(numbers),
        (*tables(measured, sliding, notes), *swept_table),
        (*pictures(measured, image, sliding), *swept_picture),
        tuple(notes),
    )


def _slid(image: np.ndarray, windows: Windows, asked: Asked, notes: list[str]) -> Sliding:
    stream = SpectraStream(image, windows)
    most = min(asked.components, int(stream.valid.sum()) - 1, len(windows.frequencies))
    if most < asked.components:
        notes.append(
            f"{int(stream.valid.sum())} windows of {len(windows.frequencies)} numbers have {max(most, 0)} components "
            f"at most, not {asked.components}."
        )
    pca = StreamedPCA(max(most, 1)).fit(stream)
    floor = surrogate_floor(
        image, windows, pca.eigenvalues_, surrogates=asked.surrogates, rng=np.random.default_rng(asked.seed)
    )
    if floor.n_signal > most:
        notes.append(f"{floor.n_signal} components stand above the noise floor; the first {most} are shown.")
    scores = pca.transform(stream)
    factors = factor_scores = None
    if asked.nmf:
        model = StreamedNMF(max(most, 1), random_state=asked.seed)
        factor_scores = model.fit_transform(stream)
        # the factor that explains most of the light first, as principal components come
        share = np.nanmean(factor_scores, axis=0) * model.components_.sum(axis=1)
        order = np.argsort(-share, kind="stable")
        factors, factor_scores = model.components_[order], factor_scores[:, order]
    found = _clustered(scores, stream, floor, asked, notes)
    return Sliding(windows, stream.grid, stream.valid, pca, floor, scores, factors, factor_scores, found)


def _clustered(
    scores: np.ndarray, stream: SpectraStream, floor: NoiseFloor, asked: Asked, notes: list[str]
) -> Clustering | None:
    """Windows by the components above the floor; None where there is none."""
    kept = min(floor.n_signal, scores.shape[1])
    if kept == 0:
        notes.append(
            "No component stands above the noise floor: at this size of window the image is the same everywhere, "
            "and nothing is clustered."
        )
        return None
    names = tuple(f"score{i + 1}_1" for i in range(kept))
    yx = stream.windows.centers(stream.image.shape)
    table = Descriptors(scores[:, :kept], names, yx, stream.valid.ravel(), "window")
    estimator = kmeans(asked.seed) if asked.clustering == "kmeans" else mixture(asked.seed)
    try:
        return cluster(table, estimator, asked.clusters, most=LEARNED)
    except StemnetError as error:
        notes.append(str(error))
        return None


def _about_windows(measured: Measured, sliding: Sliding, spacing: float | None) -> list[Number]:
    windows, sampling = sliding.windows, measured.micrograph.sampling
    reach = windows.size / 2 if windows.apodization == "hann" else float(windows.size)
    scale, unit = (1.0, "px") if sampling is None else (sampling, "A")
    numbers = [Number(measured.name, "period that sizes the windows", spacing or NAN, "px")]
    numbers = numbers if spacing else []
    return [
        *numbers,
        Number(measured.name, "side of a window", float(windows.size), "px"),
        Number(measured.name, "step", float(windows.step), "px"),
        Number(measured.name, "resolution: half width of a window's weight", scale * reach, unit),
        Number(measured.name, "windows", float(sliding.valid.sum())),
    ]


def _about_components(measured: Measured, sliding: Sliding) -> list[Number]:
    floor = sliding.floor
    share = 100 * floor.eigenvalues[: floor.n_signal].sum() / floor.eigenvalues.sum()
    return [
        Number(measured.name, "components", float(sliding.scores.shape[1])),
        Number(measured.name, "components above the noise floor", float(floor.n_signal)),
        Number(measured.name, "variance in components above the noise floor", float(share), "%"),
        Number(measured.name, "contrast: first eigenvalue over the noise level", floor.contrast),
    ]


def _about_clusters(measured: Measured, sliding: Sliding) -> list[Number]:
    if sliding.clusters is None:
        return []
    labels = sliding.clusters.labels.reshape(sliding.grid)
    yx = sliding.clusters.descriptors.yx.reshape(*sliding.grid, 2)
    return [
        Number(measured.name, "clusters of windows", float(sliding.clusters.n_clusters)),
        Number(measured.name, "silhouette of the clusters", sliding.clusters.silhouette),
        *against_planted(
            measured.name, measured.truth, labels, yx, "clusters of windows", sliding.windows.size
        ),
    ]


def _about_sizes(measured: Measured, sweep: Sweep | None) -> list[Number]:
    if sweep is None:
        return []
    best = max(sweep.rows, key=lambda row: row["contrast"])
    return [Number(measured.name, "window of the highest contrast in the sweep", best["size_px"], "px")]


def _sentence(measured: Measured, sliding: Sliding) -> str:
    floor, found = sliding.floor, sliding.clusters
    share = 100 * floor.eigenvalues[: floor.n_signal].sum() / floor.eigenvalues.sum()
    words = (
        f"{measured.name}: of {sliding.scores.shape[1]} components of {int(sliding.valid.sum())} windows "
        f"({sliding.windows.size} px), {min(floor.n_signal, sliding.scores.shape[1])} stand above the noise floor, "
        f"with {share:.0f} % of the variance"
    )
    if found is None:
        return f"{words}; no regions."
    return f"{words}; {kinds_in_words(found.n_clusters, found.silhouette, 'of window')}."
