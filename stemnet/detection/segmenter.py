"""From a micrograph to columns, told nothing but the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import block_reduce
from torch import Tensor
from torch.nn import functional

from stemnet.columns import Columns, concatenate
from stemnet.detection.localization import locate
from stemnet.detection.normalization import Normalization
from stemnet.detection.refinement import Refinement, refine
from stemnet.detection.scale import estimate_widths
from stemnet.detection.tiling import apply_tiled
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import Checkpoint

SMALLEST = 16
TRIAL = 384
"""Hypotheses on the scale are tried on a part of the image this large, in working pixels."""
QUICK = 6
"""Iterations of a fit that only has to tell columns from nothing."""
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
SPARSE = 7.0
"""Columns further apart than this many widths are single atoms to the fit."""
SPARSE_GROUND = 5.0
"""Distance of the background's knots around single atoms, in widths."""
LEAVE_ALONE = (0.8, 1.3)
"""Zooms in this range are not worth the resampling."""


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
    """

    threshold: float | None = None
    significance: float = 2.5
    width: float | None = None
    refine: bool = True


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


@dataclass(frozen=True)
class _Trial:
    """A hypothesis on scale and polarity, and the evidence for it."""

    width: float
    sign: float
    evidence: float = 0.0
    fitted: float = float("nan")


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
    finder = _Finder(checkpoint, settings, device)
    frames = micrograph.frames
    typical = frames[0] if len(frames) == 1 else np.nanmean(frames[:32], axis=0)
    if not np.isfinite(typical).any() or np.nanmax(typical) == np.nanmin(typical):
        return _nothing(micrograph, "The image is the same everywhere.")
    trial = finder.choose(typical)
    if trial is None:
        return _nothing(micrograph, "No column stands out of the noise at any width that the image suggests.")
    parts, maps, certain = [], [], []
    for number, frame in enumerate(frames):
        said = (lambda stage, i, n: progress(stage, i, n)) if progress and len(frames) == 1 else None
        columns, probability, sure = finder.find(frame * trial.sign, trial.width, micrograph.sampling, said)
        certain.append(sure)
        parts.append(columns.with_fields(frame=np.full(len(columns), number)))
        maps.append(probability.astype(np.float16))
        if progress and len(frames) > 1:
            progress("frames", number + 1, len(frames))
    columns = concatenate(parts)
    reasons = _doubts(columns, trial, certain)
    return Detection(
        columns=columns,
        probability=np.stack(maps),
        width=trial.width,
        zoom=finder.zoom(trial.width),
        dark=trial.sign < 0,
        confident=not reasons,
        reasons=tuple(reasons),
    )


class _Finder:
    """A checkpoint at work on images of one kind."""

    def __init__(self, checkpoint: Checkpoint, settings: Settings, device: torch.device | str) -> None:
        self.network = checkpoint.network.to(device).to(memory_format=torch.channels_last)
        self.card = checkpoint.card
        self.normalization = Normalization(**checkpoint.card.normalization)
        self.settings = settings
        self.device = device
        self.threshold = settings.threshold if settings.threshold is not None else checkpoint.card.threshold

    def zoom(self, width: float) -> float:
        """Factor that brings columns of a width to the network's working width."""
        zoom = self.card.working_width / width
        return 1.0 if LEAVE_ALONE[0] < zoom < LEAVE_ALONE[1] else float(zoom)

    def choose(self, image: np.ndarray) -> _Trial | None:
        """The best supported hypothesis on width and polarity; None if there is none at all."""
        if self.settings.width:
            widths = [float(self.settings.width)]
        else:
            widths = [estimate.width for estimate in estimate_widths(image)]
        trials = [_Trial(width, sign) for width in widths for sign in self._polarities(image, width)]
        if not trials:
            return None
        tried = [self._tried(image, trial) for trial in trials]
        best = max(tried, key=lambda trial: trial.evidence)
        if best.evidence == 0 and not self.settings.width:
            return None
        off = abs(np.log(best.fitted / best.width)) if np.isfinite(best.fitted) else 0.0
        if off > np.log(1.25) and not self.settings.width:
            again = self._tried(image, replace(best, width=best.fitted))
            best = max(best, again, key=lambda trial: trial.evidence)
        return best

    def _polarities(self, image: np.ndarray, width: float) -> tuple[float, ...]:
        """Bright columns stand out upwards; where the image leans the other way both signs are tried."""
        crop = _busiest(image, TRIAL * width / self.card.working_width, width)
        crop = np.where(np.isfinite(crop), crop, np.nanmedian(crop)).astype(np.float32)
        band = ndimage.gaussian_filter(crop, width) - ndimage.gaussian_filter(crop, 4 * width)
        deviation = band.std()
        skew = float(np.mean(band**3) / deviation**3) if deviation > 0 else 0.0
        return (1.0,) if skew > 0 else (1.0, -1.0)

    def _tried(self, image: np.ndarray, trial: _Trial) -> _Trial:
        """Weigh a hypothesis by what its fitted columns explain of a part of the image.

        A column's squared significance is the gain in log-likelihood that it
        brings; what the best of so many places in pure noise would bring is
        taken off. Magnified noise has many columns and no gain.
        """
        side = TRIAL * trial.width / self.card.working_width
        crop = _busiest(image, side, trial.width) * np.float32(trial.sign)
        yx, _, _, _ = self._candidates(crop, trial.width, None)
        if not len(yx):
            return trial
        fit = refine(crop, yx, trial.width, max_iterations=QUICK, background_spacing=_ground(yx, trial.width))
        places = crop.size / (2 * np.pi * trial.width**2)
        strength = np.where(fit.ok & np.isfinite(fit.significance), fit.significance, 0.0)
        gain = strength**2 - 2 * np.log(max(places, 2.0))
        fitted = fit.common_width if fit.ok.sum() > 4 else float("nan")
        if not 0.4 < fitted / trial.width < 2.5:
            # What was fitted is not what the network was asked for.
            return trial
        return replace(trial, evidence=float(gain.clip(0).sum()), fitted=fitted)

    def find(
        self,
        image: np.ndarray,
        width: float,
        sampling: float | None,
        progress: Callable[[str, int, int], None] | None,
    ) -> tuple[Columns, np.ndarray, bool]:
        """Columns of one frame of bright columns, the probability map, and whether most peaks are certain."""
        inner = (lambda i, n: progress("network", i, n)) if progress else None
        yx, score, probability, certain = self._candidates(image, width, inner)
        empty = np.full(len(yx), np.nan)
        fields = dict.fromkeys(("intensity", "width", "sigma_y", "sigma_x", "significance"), empty)
        fields["score"] = score
        if self.settings.refine and len(yx):
            if progress:
                progress("fit", 0, 1)
            fit, kept = self._fitted(image, yx, score, width)
            yx, fields["score"] = fit.yx, score[kept]
            for name in ("intensity", "width", "sigma_y", "sigma_x", "significance"):
                fields[name] = getattr(fit, name)
            if progress:
                progress("fit", 1, 1)
        order = np.lexsort((yx[:, 1], yx[:, 0]))
        columns = Columns(yx, image.shape, sampling, fields).select(order)
        return columns, probability, certain

    def _fitted(
        self, image: np.ndarray, yx: np.ndarray, score: np.ndarray, width: float
    ) -> tuple[Refinement, np.ndarray]:
        """Fit candidates together, roughly; fit again, to the end, without the insignificant ones."""
        kept = np.arange(len(yx))
        ground = _ground(yx, width)
        rough = refine(image, yx, width, max_iterations=QUICK, background_spacing=ground)
        good = self._real(rough, score)
        if good.any():
            kept = kept[good]
        fit = refine(image, rough.yx[kept], rough.common_width, background_spacing=ground)
        # What the fit moves off the image belongs to the neighborhood, not to the image.
        good = self._real(fit, score[kept]) & _inside(fit.yx, image.shape)
        return _rows(fit, good), kept[good]

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

    def _candidates(
        self, image: np.ndarray, width: float, progress: Callable[[int, int], None] | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Peaks of the network's answer.

        Returns positions [px of the image], scores, the map at the image's
        size, and whether enough peaks are certain to believe the others.
        """
        pixels = torch.as_tensor(np.ascontiguousarray(image), dtype=torch.float32, device=self.device)
        scaled, factors = _zoomed(_without_spikes(pixels), self.zoom(width))
        prepared = self.normalization(scaled[None])[0]
        probability = apply_tiled(self.network, prepared, progress=progress)
        _, centres, score = locate(probability[None], min(FAINT, self.threshold))
        yx = (centres.cpu().numpy().astype(np.float64) + 0.5) / np.array(factors) - 0.5
        scores = score.cpu().numpy().astype(np.float64)
        kept = _inside(yx, image.shape)
        certain = bool(kept.any()) and float((scores[kept] >= self.threshold).mean()) >= COMPANY
        # Only the fit can tell faint columns from saddles between bright ones.
        faint = certain and self.settings.threshold is None and self.settings.refine
        kept &= scores >= (FAINT if faint else self.threshold)
        shown = probability
        if probability.shape != pixels.shape:
            shown = functional.interpolate(probability[None, None], size=pixels.shape, mode="bilinear")[0, 0]
        return yx[kept], scores[kept], shown.cpu().numpy(), certain


def _without_spikes(image: Tensor) -> Tensor:
    """Clip hot and dead pixels, which resampling would smear over their surroundings; the fit sees them all."""
    known = image[torch.isfinite(image)]
    sample = known[:: max(1, len(known) // 2**20)]
    low, high = torch.quantile(sample, torch.tensor([0.001, 0.999], device=image.device))
    room = 2 * (high - low)
    return torch.clamp(image, low - room, high + room)


def _zoomed(image: Tensor, zoom: float) -> tuple[Tensor, tuple[float, float]]:
    """Resample an image; returns it with the exact factors by which rows and columns were scaled."""
    if zoom == 1.0:
        return image, (1.0, 1.0)
    known = torch.isfinite(image)
    filled = torch.where(known, image, image[known].median())
    # Taking the median off keeps float32 accurate on images with a large offset.
    level = filled.median()
    height, width = (max(8, round(side * zoom)) for side in image.shape)
    size = (height, width)
    scaled = functional.interpolate(
        (filled - level)[None, None], size=size, mode="bicubic", antialias=zoom < 1, align_corners=False
    )[0, 0]
    if not bool(known.all()):
        gaps = functional.interpolate((~known).float()[None, None], size=size, mode="area")[0, 0]
        scaled = torch.where(gaps > 0.5, torch.nan, scaled)
    return scaled, (height / image.shape[0], width / image.shape[1])


def _busiest(image: np.ndarray, side: float, width: float) -> np.ndarray:
    """The part of an image, of a side [px], that varies most at the scale of a column; or all of it."""
    tall, wide = (min(length, max(64, round(side))) for length in image.shape)
    if (tall, wide) == image.shape:
        return image
    step = max(1, int(width / 1.5))
    filled = np.where(np.isfinite(image), image, np.nanmedian(image))
    coarse = block_reduce(filled, step, np.mean) if step > 1 else filled
    band = ndimage.gaussian_filter(coarse, width / step) - ndimage.gaussian_filter(coarse, 4 * width / step)
    # One hot pixel or one bright speck must not decide.
    band = np.clip(band, *np.percentile(band, [1, 99]))
    energy = ndimage.uniform_filter(band**2, (max(1, tall // step), max(1, wide // step)), mode="constant")
    y, x = np.unravel_index(np.argmax(energy), energy.shape)
    top = int(np.clip(y * step - tall // 2, 0, image.shape[0] - tall))
    left = int(np.clip(x * step - wide // 2, 0, image.shape[1] - wide))
    return image[top : top + tall, left : left + wide]


def _inside(yx: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Whether positions lie on a pixel of the image, (N,)."""
    return np.all((yx >= -0.5) & (yx <= np.array(shape) - 0.5), axis=1)


def _ground(yx: np.ndarray, width: float) -> float | None:
    """Distance of the background's knots in the fit [px]; None leaves it to the fit.

    Between single atoms the support shows, and must be followed closely;
    within a lattice a background that bends between columns would eat them.
    """
    if len(yx) < 2:
        return SPARSE_GROUND * width
    nearest = cKDTree(yx).query(yx, k=2)[0][:, 1]
    return SPARSE_GROUND * width if np.median(nearest) > SPARSE * width else None


def _rows(fit: Refinement, rows: np.ndarray) -> Refinement:
    """Chosen rows of a fit."""
    count = len(fit.ok)
    per_row = {
        name: value[rows]
        for name, value in vars(fit).items()
        if isinstance(value, np.ndarray) and value.shape[:1] == (count,) and name != "background"
    }
    return replace(fit, **per_row)


def _nothing(micrograph: Micrograph, reason: str) -> Detection:
    names = ("score", "intensity", "width", "sigma_y", "sigma_x", "significance")
    fields = {**{name: np.zeros(0) for name in names}, "frame": np.zeros(0, dtype=int)}
    columns = Columns(np.zeros((0, 2)), micrograph.shape, micrograph.sampling, fields)
    blank = np.zeros(micrograph.frames.shape, dtype=np.float16)
    return Detection(columns, blank, float("nan"), 1.0, confident=False, reasons=(reason,))


def _doubts(columns: Columns, trial: _Trial, certain: list[bool]) -> list[str]:
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
    if trial.sign < 0:
        reasons.append("The columns are dark on a bright ground; the image was inverted to find them.")
    return reasons
