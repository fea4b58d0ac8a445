"""From a micrograph to columns, told nothing but the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from stemnet.columns import Columns, concatenate
from stemnet.detection.candidates import Candidates, Finder, within
from stemnet.detection.hypotheses import QUICK, Hypothesis, choose, ground_spacing
from stemnet.detection.refinement import Refinement, refine
from stemnet.detection.resampling import binned, binning, from_binned, to_binned
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import Checkpoint

SMALLEST = 16
FAINT = 0.01
"""Peaks of this probability are believed in the company of certain ones."""
COMPANY = 0.3
"""Share of certain ones among all peaks that makes such company: noise has none, most of a lattice's are."""
FAINTEST = (0.12, 0.25)
"""Least height of a doubtful and of a very doubtful column, as a share of the certain ones' median."""
VERY_DOUBTFUL = 0.15
"""Probability below which a column is very doubtful."""
NARROWEST = 0.7
"""Columns of a smaller sigma are noise or sampled too coarsely [px]."""
FITTED = ("intensity", "width", "sigma_y", "sigma_x", "significance")
"""What the fit says of every column, by the names of `Refinement`."""


@dataclass(frozen=True)
class Settings:
    """What may be asked of the detection; the defaults suit any image.

    Parameters
    ----------
    threshold : float or None
        Probability above which a peak is a candidate; None takes the one
        calibrated with the weights, and fainter peaks where most are certain.
    significance : float
        A candidate stays if its fitted height is this many standard errors
        above nothing, its neighbors being fitted too.
    width : float or None
        Sigma of a column [px], to overrule the estimate.
    refine : bool
        Fit positions; otherwise the probability's centroids are reported.
    views : int
        Mirrored and turned views that the network sees: 1, 2, 4 or 8. With
        more than one the score is their mean and has a spread.
    """

    threshold: float | None = None
    significance: float = 2.5
    width: float | None = None
    refine: bool = True
    views: int = 1


@dataclass(frozen=True)
class Detection:
    """Columns of a micrograph and how they were found.

    Parameters
    ----------
    columns : Columns
        All frames, with score, intensity, width, sigma_y, sigma_x, frame.
    probability : ndarray, shape (T, H, W), float16
        Of a pixel lying on a column's peak.
    width : float
        Sigma of a column [px]; NaN if none could be estimated.
    zoom : float
        Factor by which the image was scaled for the network.
    dark : bool
        Columns are darker than their surroundings; the image was inverted.
    confident : bool
    reasons : tuple of str
        Why not, in words.
    """

    columns: Columns
    probability: np.ndarray
    width: float
    zoom: float
    dark: bool = False
    confident: bool = True
    reasons: tuple[str, ...] = ()


def find_columns(
    micrograph: Micrograph,
    checkpoint: Checkpoint,
    settings: Settings | None = None,
    *,
    device: torch.device | str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> Detection:
    """Find the columns of every frame.

    Parameters
    ----------
    micrograph : Micrograph
    checkpoint : Checkpoint
    settings : Settings, optional
    device : torch.device or str
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Detection
        With no columns and ``confident=False`` where there is nothing to find.

    Raises
    ------
    StemnetError
        If the image is too small to hold a column and its surroundings.
    """
    settings = settings or Settings()
    if min(micrograph.shape) < SMALLEST:
        raise StemnetError(
            f"{micrograph.name} is {micrograph.shape[0]} x {micrograph.shape[1]} pixels; columns need at least "
            f"{SMALLEST} x {SMALLEST}. Give a larger image."
        )
    finder = Finder(checkpoint, settings.views, device)
    threshold = settings.threshold if settings.threshold is not None else checkpoint.card.threshold
    frames = micrograph.frames
    typical = frames[0] if len(frames) == 1 else np.nanmean(frames[:32], axis=0)
    if not np.isfinite(typical).any() or np.nanmax(typical) == np.nanmin(typical):
        return _nothing(micrograph, "The image is the same everywhere.")
    chosen = choose(typical, Finder(checkpoint, 1, device), threshold, settings.width)
    if chosen is None:
        return _nothing(micrograph, "No column stands out of the noise at any width that the image suggests.")
    search = _Search(finder, settings, threshold, chosen)
    parts, maps, certain = [], [], []
    for number, frame in enumerate(frames):
        said = (lambda stage, i, n: progress(stage, i, n)) if progress and len(frames) == 1 else None
        columns, probability, sure = search.frame(frame, micrograph.sampling, said)
        certain.append(sure)
        parts.append(columns.with_fields(frame=np.full(len(columns), number)))
        maps.append(probability.astype(np.float16))
        if progress and len(frames) > 1:
            progress("frames", number + 1, len(frames))
    columns = concatenate(parts)
    reasons = _doubts(columns, chosen, certain)
    return Detection(
        columns=columns,
        probability=np.stack(maps),
        width=chosen.width,
        zoom=finder.zoom(chosen.width),
        dark=chosen.sign < 0,
        confident=not reasons,
        reasons=tuple(reasons),
    )


@dataclass(frozen=True)
class _Search:
    """One way to look at all frames of a micrograph."""

    finder: Finder
    settings: Settings
    threshold: float
    hypothesis: Hypothesis

    def frame(
        self,
        image: np.ndarray,
        sampling: float | None,
        progress: Callable[[str, int, int], None] | None,
    ) -> tuple[Columns, np.ndarray, bool]:
        """Columns of one frame, the probability map, and whether enough of the peaks are certain."""
        bright, width = image * np.float32(self.hypothesis.sign), self.hypothesis.width
        inner = (lambda i, n: progress("network", i, n)) if progress else None
        found = self.finder(bright, width, min(FAINT, self.threshold), inner)
        certain = len(found) > 0 and float((found.score >= self.threshold).mean()) >= COMPANY
        # Only the fit can tell faint columns from saddles between bright ones.
        faint = certain and self.settings.threshold is None and self.settings.refine
        kept = np.flatnonzero(found.score >= (FAINT if faint else self.threshold))
        yx, fields = found.yx[kept], dict.fromkeys(FITTED, np.full(len(kept), np.nan))
        if self.settings.refine and len(kept):
            if progress:
                progress("fit", 0, 1)
            fit, rows = self._fitted(bright, yx, found.score[kept], width)
            yx, kept = fit.yx, kept[rows]
            fields = {name: getattr(fit, name) for name in FITTED}
            if progress:
                progress("fit", 1, 1)
        fields["score"] = found.score[kept]
        if self.settings.views > 1:
            fields["score_spread"] = found.spread[kept]
        order = np.lexsort((yx[:, 1], yx[:, 0]))
        columns = Columns(yx, image.shape, sampling, fields).select(order)
        return columns, found.map_at(image.shape), certain

    def _fitted(
        self, image: np.ndarray, yx: np.ndarray, score: np.ndarray, width: float
    ) -> tuple[Refinement, np.ndarray]:
        """Fit candidates together, roughly; fit again, to the end, without those that are no columns."""
        factor = binning(width)
        coarse, start, sigma = binned(image, factor), to_binned(yx, factor), width / factor
        ground = ground_spacing(start, sigma)
        rough = refine(coarse, start, sigma, max_iterations=QUICK, background_spacing=ground)
        good = self._real(rough, score)
        kept = np.flatnonzero(good) if good.any() else np.arange(len(yx))
        fit = refine(coarse, rough.yx[kept], rough.common_width, background_spacing=ground)
        # What the fit moves off the image belongs to the neighborhood, not to the image.
        good = self._real(fit, score[kept]) & within(from_binned(fit.yx, factor), image.shape)
        return _in_pixels(_rows(fit, good), factor), kept[good]

    def _real(self, fit: Refinement, score: np.ndarray) -> np.ndarray:
        """Which fitted candidates are columns.

        In an image without noise any saddle between columns is significant, so
        what the network doubts must also be of some height.
        """
        real = np.nan_to_num(fit.significance) >= self.settings.significance
        certain = score >= self.threshold
        if certain.any():
            least = np.where(score < VERY_DOUBTFUL, FAINTEST[1], FAINTEST[0]) * np.median(
                fit.amplitude[certain]
            )
            real &= certain | (fit.amplitude >= least)
        return real


def _rows(fit: Refinement, rows: np.ndarray) -> Refinement:
    """Chosen rows of a fit."""
    count = len(fit.ok)
    per_row = {
        name: value[rows]
        for name, value in vars(fit).items()
        if isinstance(value, np.ndarray) and value.shape[:1] == (count,) and name != "background"
    }
    return replace(fit, **per_row)


def _in_pixels(fit: Refinement, factor: int) -> Refinement:
    """A fit of a binned image in pixels of the image itself."""
    return replace(
        fit,
        yx=from_binned(fit.yx, factor),
        width=fit.width * factor,
        intensity=fit.intensity * factor**2,
        sigma_y=fit.sigma_y * factor,
        sigma_x=fit.sigma_x * factor,
    )


def _nothing(micrograph: Micrograph, reason: str) -> Detection:
    names = ("score", "intensity", "width", "sigma_y", "sigma_x", "significance")
    fields = {**{name: np.zeros(0) for name in names}, "frame": np.zeros(0, dtype=int)}
    columns = Columns(np.zeros((0, 2)), micrograph.shape, micrograph.sampling, fields)
    blank = np.zeros(micrograph.frames.shape, dtype=np.float16)
    return Detection(columns, blank, float("nan"), 1.0, confident=False, reasons=(reason,))


def _doubts(columns: Columns, chosen: Hypothesis, certain: list[bool]) -> list[str]:
    """Reasons not to trust what was found."""
    reasons = []
    if len(columns) == 0:
        reasons.append("No column stands out of the noise.")
    elif np.median(columns["score"]) < 0.5:
        reasons.append("Most columns were found with a probability below one half.")
    elif not all(certain):
        reasons.append(
            "Few of the places that resemble a column are certain: single atoms, an amorphous support and "
            "noise look like this."
        )
    if 0 < len(columns) < 10 * len(certain):
        reasons.append(f"Only {len(columns)} columns were found.")
    fitted = columns["width"][np.isfinite(columns["width"])]
    if len(fitted) and np.median(fitted) < NARROWEST:
        reasons.append("The columns are hardly wider than a pixel: noise, or an image sampled too coarsely.")
    if chosen.sign < 0:
        reasons.append("The columns are dark on a bright ground; the image was inverted to find them.")
    return reasons
