"""From a micrograph to columns, told nothing but the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from stemnet.columns import Columns, concatenate
from stemnet.detection.acceptance import believed
from stemnet.detection.burnt_in import said_of, without_labels
from stemnet.detection.candidates import Candidates, Finder, within
from stemnet.detection.hypotheses import Hypothesis, choose
from stemnet.detection.judge import Acceptance, Judge
from stemnet.detection.promise import ACCEPTED, expected_f1, in_frame, promised_around
from stemnet.detection.refinement import Refinement
from stemnet.detection.resampling import from_binned
from stemnet.detection.two_fits import first_look, heard_again, second_look
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import Checkpoint
from stemnet.registration import Registration, average_frames
from stemnet.registration.rigid import find_drift

SMALLEST = 16
FAINT = 0.02
"""Peaks of this probability are candidates where the fit takes part in the judgement."""
DOUBTED = 0.1
"""Candidates below this probability are not fitted to the end."""
LEAST = 1e-9
"""Where the threshold alone decides, every significant candidate is a column."""
TRUSTED = 0.85
"""Expected F1 below which a result is of low confidence, and an image or a part of it keeps only what is sure."""
SURE = 0.85
"""Probability from which a column is."""
DOUBTFUL = 0.03
"""Share of candidates that are neither sure columns nor surely none, from which they are judged once more."""
FEW = 10
"""Fewer columns than this a frame are no lattice."""
NARROWEST = 0.7
"""Columns of a smaller sigma are noise or sampled too coarsely [px]."""
TYPICAL = 16
"""Frames of a stack that widths are measured on."""
OF_THE_IMAGE = ("background", "model", "unlisted_yx", "unlisted_significance")
"""What a fit says that is not of its columns."""
DARK = "The columns are dark on a bright ground; the image was inverted to find them."
NO_COLUMNS = {
    "fringes": "The image varies along one direction only: lattice fringes, in which no column is resolved.",
    "texture": "The image is a random texture (magnified or smoothed noise, or an amorphous film): its bumps are as "
    "often dark as bright, and nothing repeats.",
}
"""What is said of images whose bumps are no columns."""
FITTED = (
    "intensity",
    "intensity_sigma",
    "width",
    "width_sigma",
    "sigma_y",
    "sigma_x",
    "significance",
    "ellipticity",
    "ellipticity_angle",
    "ellipticity_1",
    "ellipticity_2",
    "ellipticity_sigma",
    "cross_section",
    "cross_section_sigma",
)
"""What the fit says of every column that is reported, by the names of `Refinement`."""


@dataclass(frozen=True)
class Settings:
    """What may be asked of the detection; the defaults suit any image.

    Parameters
    ----------
    threshold : float or None
        Probability of the network above which a significant peak is a column;
        None lets network and fit judge together, which is calibrated.
    significance : float
        No column's fitted height is fewer standard errors above nothing, its
        neighbors being fitted too.
    width : float or None
        Sigma of a column [px], to overrule the estimate.
    refine : bool
        Fit positions; otherwise the probability's centroids are reported.
    views : int
        Mirrored and turned views that the network sees: 1, 2, 4 or 8. With
        more than one the score is their mean and has a spread.
    """

    threshold: float | None = None
    significance: float = 1.5
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
    notes : tuple of str
        What else the user should know.
    expected_f1 : float
        F1 that the columns' own probabilities promise, of the worst frame; NaN
        where nothing was judged.
    """

    columns: Columns
    probability: np.ndarray
    width: float
    zoom: float
    dark: bool = False
    confident: bool = True
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    expected_f1: float = float("nan")


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
    typical, label = without_labels(frames[0] if len(frames) == 1 else typical_of(frames))
    if not np.isfinite(typical).any() or np.nanmax(typical) == np.nanmin(typical):
        return _nothing(micrograph, "The image is the same everywhere.")
    chosen = choose(typical, Finder(checkpoint, 1, device), threshold, settings.width)
    if chosen is None:
        return _nothing(micrograph, "No column stands out of the noise at any width that the image suggests.")
    together = settings.threshold is None and settings.refine
    judge = Judge.from_card(checkpoint.card.acceptance) if together else None
    if chosen.pattern != "columns":
        return _nothing(micrograph, NO_COLUMNS[chosen.pattern])
    search = _Search(finder, settings, threshold, judge, chosen)
    parts, maps, expected = [], [], []
    for number, frame in enumerate(frames):
        said = (lambda stage, i, n: progress(stage, i, n)) if progress and len(frames) == 1 else None
        image = typical if len(frames) == 1 else without_labels(frame)[0]
        columns, probability, quality = search.frame(image, micrograph.sampling, said)
        expected.append(quality)
        parts.append(columns.with_fields(frame=np.full(len(columns), number)))
        maps.append(probability.astype(np.float16))
        if progress and len(frames) > 1:
            progress("frames", number + 1, len(frames))
    columns = concatenate(parts)
    reasons = _doubts(columns, float(np.min(expected)), len(frames))
    notes = ((DARK,) if chosen.sign < 0 else ()) + ((said_of(label),) if label.any() else ())
    return Detection(
        columns=columns,
        probability=np.stack(maps),
        width=chosen.width,
        zoom=finder.zoom(chosen.width),
        dark=chosen.sign < 0,
        confident=not reasons,
        reasons=tuple(reasons),
        notes=notes,
        expected_f1=float(np.min(expected)),
    )


@dataclass(frozen=True)
class _Search:
    """One way to look at all frames of a micrograph."""

    finder: Finder
    settings: Settings
    threshold: float
    judge: Judge | None
    hypothesis: Hypothesis

    def frame(
        self,
        image: np.ndarray,
        sampling: float | None,
        progress: Callable[[str, int, int], None] | None,
    ) -> tuple[Columns, np.ndarray, float]:
        """Columns of one frame, the probability map, and the F1 to be expected."""
        bright, width = image * np.float32(self.hypothesis.sign), self.hypothesis.width
        inner = (lambda i, n: progress("network", i, n)) if progress else None
        found = self.finder(bright, width, self.threshold if self.judge is None else FAINT, inner)
        probability, kept, yx = found.score, np.arange(len(found)), found.yx
        fields = dict.fromkeys(FITTED, np.full(len(kept), np.nan))
        judged = probability
        if self.settings.refine and len(kept):
            if progress:
                progress("fit", 0, 1)
            fit, kept, probability, judged = self._fitted(bright, found, width)
            yx, fields = fit.yx, {name: getattr(fit, name) for name in FITTED}
            if progress:
                progress("fit", 1, 1)
        fields |= {"score": probability, "network_score": found.score[kept]}
        if self.settings.views > 1:
            fields["score_spread"] = found.spread[kept]
        order = np.lexsort((yx[:, 1], yx[:, 0]))
        columns = Columns(yx, image.shape, sampling, fields).select(order)
        return columns, found.map_at(image.shape), expected_f1(probability, judged)

    def _fitted(
        self, image: np.ndarray, found: Candidates, width: float
    ) -> tuple[Refinement, np.ndarray, np.ndarray, np.ndarray]:
        """Fit candidates together, roughly; fit again, to the end, without those that are no columns.

        Returns the fit, the candidates that are its rows, their probabilities,
        and the probabilities of all candidates.
        """
        first = first_look(image, found.yx, found.score, width)
        start = first.start
        score, rough, factor = first.score, start.fit, start.factor
        judged = self._judged(self.judge.rough if self.judge else None, first.known, score, rough)
        kept = np.flatnonzero(judged >= (DOUBTED if self.judge else LEAST))
        if not len(kept):
            return _in_pixels(_rows(rough, kept), factor), kept, judged[kept], judged
        fit, again = second_look(first, judged, kept)
        probability = self._judged(self.judge.final if self.judge else None, again, score[kept], fit)
        if self.judge and _undecided(probability):
            judged[kept] = probability
            again = heard_again(first, judged, kept, again)
            probability = self._judged(self.judge.final, again, score[kept], fit)
        # Light along the rim may come from a column outside, which belongs to the neighborhood, not to the image.
        probability *= in_frame(fit, start.image.shape)
        judged[kept] = probability
        good = probability >= (ACCEPTED if self.judge else LEAST)
        good &= within(from_binned(fit.yx, factor), image.shape)
        if self.judge:
            doubted = promised_around(rough.yx, judged)[kept] < TRUSTED
            doubted |= expected_f1(probability[good], judged) < TRUSTED
            good &= ~doubted | (probability >= SURE)
        return _in_pixels(_rows(fit, good), factor), start.rows[kept[good]], probability[good], judged

    def _judged(
        self, trees: Acceptance | None, known: np.ndarray, score: np.ndarray, fit: Refinement
    ) -> np.ndarray:
        """Probability of each candidate; 0 for those that are not significant."""
        if trees is None:
            stands_out = np.nan_to_num(fit.significance) >= self.settings.significance
            return np.where(stands_out, score, 0.0)
        return believed(trees, known, fit, self.settings.significance)


def _undecided(probability: np.ndarray) -> bool:
    """Whether so many candidates are doubtful that what is known of some tells more of the others."""
    return bool(((probability > DOUBTED) & (probability < SURE)).mean() > DOUBTFUL)


def _rows(fit: Refinement, rows: np.ndarray) -> Refinement:
    """Chosen rows of a fit."""
    count = len(fit.ok)
    per_row = {
        name: value[rows]
        for name, value in vars(fit).items()
        if isinstance(value, np.ndarray) and value.shape[:1] == (count,) and name not in OF_THE_IMAGE
    }
    return replace(fit, **per_row)


def _in_pixels(fit: Refinement, factor: int) -> Refinement:
    """A fit of a binned image in pixels of the image itself."""
    lengths = {name: getattr(fit, name) * factor for name in ("width", "width_sigma", "sigma_y", "sigma_x")}
    volumes = ("intensity", "intensity_sigma", "cross_section", "cross_section_sigma")
    areas = {name: getattr(fit, name) * factor**2 for name in volumes}
    return replace(fit, yx=from_binned(fit.yx, factor), **lengths, **areas)


def typical_of(frames: np.ndarray) -> np.ndarray:
    """Mean (H', W') of the first frames, laid over one another: in a plain mean whatever drifts is smeared."""
    first = frames[:TYPICAL]
    try:
        drift = find_drift(first, passes=0)
    except StemnetError:
        return np.nanmean(first, axis=0)
    return average_frames(first, Registration(drift.positions, drift.errors, drift.seen)).image


def _nothing(micrograph: Micrograph, reason: str) -> Detection:
    names = ("score", "network_score", *FITTED)
    fields = {**{name: np.zeros(0) for name in names}, "frame": np.zeros(0, dtype=int)}
    columns = Columns(np.zeros((0, 2)), micrograph.shape, micrograph.sampling, fields)
    blank = np.zeros(micrograph.frames.shape, dtype=np.float16)
    return Detection(columns, blank, float("nan"), 1.0, confident=False, reasons=(reason,))


def _doubts(columns: Columns, expected: float, frames: int) -> list[str]:
    """Reasons not to trust what was found."""
    reasons = []
    if len(columns) == 0:
        reasons.append("No column stands out of the noise.")
    elif expected < TRUSTED:
        reasons.append(
            f"By their own probabilities the columns promise an F1 of {expected:.2f} only: single atoms, an "
            "amorphous support and noise look like this."
        )
    if 0 < len(columns) < FEW * frames:
        reasons.append(f"Only {len(columns)} columns were found.")
    fitted = columns["width"][np.isfinite(columns["width"])]
    if len(fitted) and np.median(fitted) < NARROWEST:
        reasons.append("The columns are hardly wider than a pixel: noise, or an image sampled too coarsely.")
    return reasons
