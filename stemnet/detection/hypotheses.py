"""On which scale, and bright or dark? Hypotheses are weighed by what their fitted columns explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy import ndimage
from skimage.measure import block_reduce

from stemnet.detection.candidates import Finder
from stemnet.detection.patterns import Pattern, band, pattern
from stemnet.detection.resampling import from_binned
from stemnet.detection.scale import estimate_widths
from stemnet.detection.two_fits import OPEN, roughly_fitted

TRIAL = 384
"""Hypotheses are tried on a part of the image this large, in working pixels."""
ABOUT, FAR = 1.15, 1.35
"""Factors within which a width is right, and beyond which it is wrong."""
FOUND_FAR = 0.2
"""Share of the evidence that counts at a width far from what the autocorrelation says."""
NARROW, WIDER = 1.2, 1.6
"""Estimates below so many pixels are tried this much wider too."""
LEAST = 0.2
"""Share of the evidence for bright columns that counts where the image leans to dark ones, at least."""
STEPS = 3
"""Widths that are followed one after the other."""
CLOSER, APART = 0.8, 1.3
"""A width this much narrower is tried too where the fit is wider. If the fit becomes narrower by the second factor,
pairs came apart."""
MANY_MORE, MORE, PLAIN = 2.5, 1.5, 0.1
"""So many times the evidence, at a narrower width than the best, is that of pairs which came apart too: grains of a
support gain less than the first, and lattices of single columns, whose evidence is plain, less than the second."""
AGREES, ALIKE = 1.1, 0.95
"""Factor within which the fit comes to the width that it was told; the share of the evidence that is enough for it."""


@dataclass(frozen=True)
class Hypothesis:
    """What the columns of an image may be like, and the evidence for it.

    Parameters
    ----------
    width : float
        Sigma of a column [px].
    sign : float
        1 where columns are bright, -1 where they are dark.
    evidence : float
        Gain in log-likelihood per pixel that the fitted columns bring beyond
        what as many places in pure noise would.
    fitted : float
        The width that the fit came to [px].
    pattern : {"columns", "fringes", "texture"}
        What the image shows at this width.
    """

    width: float
    sign: float
    evidence: float = 0.0
    fitted: float = float("nan")
    pattern: Pattern = "columns"


def choose(image: np.ndarray, finder: Finder, least: float, width: float | None = None) -> Hypothesis | None:
    """The best supported hypothesis on width and polarity.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    finder : Finder
    least : float
        Probability from which a peak is a candidate.
    width : float, optional
        The width [px], where the user knows it: only the polarity is open then.

    Returns
    -------
    Hypothesis or None
        None where nothing at all stands out of the noise.
    """
    widths = [width] if width else [estimate.width for estimate in estimate_widths(image)]
    # Of columns a pixel wide hardly two lags are left to measure by, and the estimate comes out too small.
    widths += [w * WIDER for w in widths if w < NARROW and not width]
    if not widths:
        return None
    working = finder.card.working_width
    # All are judged on the same ground, which the narrowest choose: on parts of their own, a hypothesis that
    # sees only a particle would beat one that sees the support around it too.
    ground = _busiest(image, TRIAL * min(widths) / working, min(widths))

    @cache
    def weighed(width: float, sign: float, unlisted: bool = True) -> Hypothesis:
        return tested(image, Hypothesis(width, sign), finder, least, ground, unlisted)

    tried = []
    for w in widths:
        around = _grown(ground, TRIAL * w / working, image.shape)
        for sign, share in _polarities(image[around.slices], w):
            tried.append((weighed(w, sign), share))
    if not width:
        # Where one width bears itself out, no other is that of pairs taken for one column each.
        closely = all(_off(one, ABOUT) or not one.evidence for one, _ in tried)
        followed = [(*_followed(one, weighed, closely), share) for one, share in tried]
        tried = [(one, share * counts) for one, counts, share in followed]
    weighted = [replace(one, evidence=share * one.evidence) for one, share in tried]
    best = max(weighted, key=lambda hypothesis: hypothesis.evidence)
    if not width and best.evidence == 0:
        return None
    if not width:
        # Half as much again, or more, does not hang on light that no candidate stands for.
        closer = weighed(CLOSER * best.width, best.sign, unlisted=False)
        enough = (MORE if best.evidence > PLAIN else MANY_MORE) * best.evidence
        best = closer if closer.evidence > enough else best
    around = _grown(ground, TRIAL * best.width / working, image.shape)
    return replace(best, pattern=pattern(image[around.slices], best.width))


def _followed(
    one: Hypothesis, weighed: Callable[[float, float], Hypothesis], closely: bool
) -> tuple[Hypothesis, float]:
    """Where the fit leads that came to another width than the network was told, and the share of evidence that counts.

    Noise, magnified, has columns of any width that is asked for, until the
    network looks at the width which the fit came to: far off, a width must
    bear itself out. A little too narrow a width, on the other hand, shows
    close pairs larger and better: where the fit is wider, pairs may have been
    taken for one column each, and come apart when they are looked at closely.
    """
    share, first, closer = 1.0, one, None
    if closely and _off(one, ABOUT) and one.fitted > one.width:
        closer = weighed(CLOSER * one.width, one.sign)
    for _ in range(STEPS):
        if not _off(one, ABOUT):
            break
        again = weighed(one.fitted, one.sign)
        far = _off(one, FAR)
        enough = one.evidence * (1.0 if _off(again, AGREES) else ALIKE)
        if not far and again.evidence <= enough:
            break
        one = again
        # Holes between columns are wider than what the autocorrelation saw.
        share *= FOUND_FAR if far else 1.0
    if closer:
        apart = closer.fitted < first.fitted / APART
        if closer.evidence > (1.0 if apart else MANY_MORE) * share * one.evidence:
            return closer, 1.0
    return one, share


def _off(hypothesis: Hypothesis, factor: float) -> bool:
    """Whether the fit came to a width that differs by more than a factor from what was told."""
    fitted = hypothesis.fitted
    return bool(np.isfinite(fitted) and abs(np.log(fitted / hypothesis.width)) > np.log(factor))


@dataclass(frozen=True)
class Part:
    """A rectangle of an image [px]."""

    top: int
    left: int
    tall: int
    wide: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.tall), slice(self.left, self.left + self.wide)

    def holds(self, yx: np.ndarray) -> np.ndarray:
        """Whether positions (N, 2) lie in it, (N,)."""
        corner = np.array([self.top, self.left]) - 0.5
        return np.all((yx >= corner) & (yx < corner + np.array([self.tall, self.wide])), axis=1)


def tested(
    image: np.ndarray,
    hypothesis: Hypothesis,
    finder: Finder,
    least: float,
    ground: Part,
    unlisted: bool,
) -> Hypothesis:
    """Weigh a hypothesis by what its fitted columns explain of a part of the image.

    A column's squared significance is the gain in log-likelihood that it
    brings; what the best of so many places in pure noise would bring is
    taken off. Magnified noise has many columns and no gain.
    """
    width = hypothesis.width
    around = _grown(ground, TRIAL * width / finder.card.working_width, image.shape)
    crop = image[around.slices] * np.float32(hypothesis.sign)
    found = finder(crop, width, least)
    nothing = replace(hypothesis, evidence=0.0, fitted=float("nan"))
    if not len(found):
        return nothing
    rough = roughly_fitted(crop, found.yx, found.score, width, OPEN, unlisted)
    fit, factor = rough.fit, rough.factor
    inside = ground.holds(from_binned(fit.yx, factor) + np.array([around.top, around.left]))
    area = ground.tall * ground.wide
    places = area / (2 * np.pi * width**2)
    strength = np.where(fit.ok & inside & np.isfinite(fit.significance), fit.significance, 0.0)
    gain = strength**2 - 2 * np.log(max(places, 2.0))
    fitted = fit.common_width * factor if fit.ok.sum() > 4 else float("nan")
    if not 0.4 < fitted / width < 2.5:
        # What was fitted is not what the network was asked for.
        return nothing
    return replace(hypothesis, evidence=float(gain.clip(0).sum() / area), fitted=fitted)


def _polarities(crop: np.ndarray, width: float) -> tuple[tuple[float, float], ...]:
    """Signs to try, each with the share of its evidence that counts.

    Columns stand out upwards where they are bright. Holes of a lattice look
    like columns of the other sign, and fit as well where columns overlap:
    then the side to which the image leans decides.
    """
    crop = np.where(np.isfinite(crop), crop, np.nanmedian(crop)).astype(np.float32)
    passed = band(crop, width)
    deviation = passed.std()
    skew = float(np.mean(passed**3) / deviation**3) if deviation > 0 else 0.0
    return ((1.0, 1.0),) if skew > 0 else ((1.0, max(LEAST, 1 + skew)), (-1.0, 1.0))


def _busiest(image: np.ndarray, side: float, width: float) -> Part:
    """The part of an image, of a side [px], that varies most at the scale of a column; or all of it."""
    tall, wide = (min(length, max(64, round(side))) for length in image.shape)
    if (tall, wide) == image.shape:
        return Part(0, 0, tall, wide)
    step = max(1, round(width / 1.5))
    known = np.isfinite(image)
    filled = image if known.all() else np.where(known, image, np.median(image[known]))
    coarse = block_reduce(filled, step, np.mean) if step > 1 else filled
    passed = band(coarse, width / step)
    # One hot pixel or one bright speck must not decide.
    passed = np.clip(passed, *np.percentile(passed, [1, 99]))
    energy = ndimage.uniform_filter(passed**2, (max(1, tall // step), max(1, wide // step)), mode="constant")
    y, x = np.unravel_index(np.argmax(energy), energy.shape)
    top = int(np.clip(y * step - tall // 2, 0, image.shape[0] - tall))
    left = int(np.clip(x * step - wide // 2, 0, image.shape[1] - wide))
    return Part(top, left, tall, wide)


def _grown(part: Part, side: float, shape: tuple[int, ...]) -> Part:
    """The part with its surroundings, so that it has at least a side [px], as far as the image goes."""
    tall, wide = (
        min(length, max(old, round(side))) for length, old in zip(shape, (part.tall, part.wide), strict=True)
    )
    top = int(np.clip(part.top - (tall - part.tall) // 2, 0, shape[0] - tall))
    left = int(np.clip(part.left - (wide - part.wide) // 2, 0, shape[1] - wide))
    return Part(top, left, tall, wide)
