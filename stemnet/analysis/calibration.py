"""Does the size of a pixel agree with the lattice? Compared with known crystals; nothing is ever rescaled.

A wrong warning is worse than none: crystals that nobody listed exist. So shape,
number of columns in the cell, their places and their brightness must all be a
known crystal's, and the file is believed where it makes the cell as large as any
of these. What is left are the errors that happen: a few percent, and factors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stemnet.descriptors.basis import reduced
from stemnet.descriptors.motif import Motif, Resemblance, resemblance

AGREES = 0.03  # lattice constants vary with composition and strain, and scans by one or two percent
MARGIN = 0.01  # around the sizes that a sheared lattice has in its two directions
A_FEW_PERCENT = 0.12  # further off, it is another crystal rather than a wrong calibration
MOST_SHEAR = 0.1  # a lattice that is sheared by more cannot tell its size
FACTOR_GATE = 0.08
FACTORS = {
    0.1: "as if angstrom had been taken for nanometers",
    10.0: "as if nanometers had been taken for angstrom",
    0.5: "as if the image had been enlarged twofold after its calibration",
    0.25: "as if the image had been enlarged fourfold after its calibration",
    2.0: "as if the image had been binned by 2 after its calibration",
    4.0: "as if the image had been binned by 4 after its calibration",
}
"""True pixel size over the file's, and how it comes about."""
NEAREST = 3  # crystals named in a sentence
SAID = 5  # crystals put in the record
ALIKE = 0.01  # suggestions closer than this are one
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
DO = "Nothing was rescaled; pass sampling=<A/px> if you agree."


@dataclass(frozen=True)
class Calibration:
    """What the lattice says of the size of a pixel.

    Parameters
    ----------
    verdict : str
        ``agrees``, ``disagrees``, ``suggested`` (the file gives no sampling),
        ``unlike any known crystal``, or ``undecided`` (shape and motif are a
        known crystal's, the size is none's, and no usual error explains it).
    sentence : str
        For the user where the verdict is ``disagrees`` or ``suggested``; else
        empty.
    sampling : float or None
        The file's [A/px].
    suggested : float or None
        [A/px] by the best candidate where the verdict is ``disagrees`` or
        ``suggested``.
    candidates : tuple of Resemblance
        Those nearest to the file's size first, without one the best fits.
    """

    verdict: str
    sentence: str = ""
    sampling: float | None = None
    suggested: float | None = None
    candidates: tuple[Resemblance, ...] = field(default=())

    def record(self) -> dict[str, object]:
        """Values for ``metrics.json``; differences are of the pixel size, in percent of the file's."""
        return {
            "verdict": self.verdict,
            "sampling_A_per_px": self.sampling,
            "suggested_A_per_px": _rounded(self.suggested),
            "candidates": [
                {
                    "crystal": one.known.name,
                    "lattice_A": [round(edge, 4) for edge in one.known.edges],
                    "suggested_A_per_px": _rounded(one.sampling),
                    "difference_percent": None
                    if self.sampling is None
                    else round(100 * (one.sampling / self.sampling - 1), 2),
                    "shear_percent": round(100 * one.stretch, 2),
                    "misfit": round(one.misfit, 3),
                }
                for one in self.candidates
            ],
        }


def compare_with_lattice(
    found: Motif, known: Sequence[Motif], sampling: float | None, name: str = "", given: str = "The file says"
) -> Calibration:
    """Compare a pixel size with the sizes that known crystals would give.

    Parameters
    ----------
    found : Motif
        Of the image, in pixels.
    known : sequence of Motif
        Of crystals, in angstrom; several may be of one crystal.
    sampling : float or None
        [A/px]
    name : str
        Of the image. Where it names a crystal whose lattice this may be, as
        ``srtio3_100`` does, that one is the yardstick.
    given : str
        How the sentence begins that tells the sampling.

    Returns
    -------
    Calibration
    """
    alike = [one for motif in known if (one := resemblance(found, motif)) is not None]
    if not alike:
        return Calibration("unlike any known crystal", sampling=sampling)
    named = _named(alike, name)
    if sampling is None:
        return _suggestion(found, named or alike, bool(named))
    pool = sorted(alike, key=lambda one: abs(np.log(one.sampling / sampling)))
    fitting = [one for one in pool if _agrees(one, sampling)]
    told = sorted(named, key=lambda one: abs(np.log(one.sampling / sampling)))
    # one column per cell fits so many crystals that a name of two letters must not decide
    contradicted = len(found) > 1 and told and not any(_agrees(one, sampling) for one in told)
    if fitting and not contradicted:
        return Calibration("agrees", "", sampling, None, tuple(fitting[:SAID]))
    nearest = _nearest(told if contradicted else pool, len(found), sampling)
    if not nearest:
        verdict = "agrees" if fitting else "undecided"
        return Calibration(verdict, "", sampling, None, tuple((fitting or pool)[:SAID]))
    sentence = _objection(found, nearest, sampling, given, bool(contradicted), fitting)
    return Calibration("disagrees", sentence, sampling, nearest[0].sampling, tuple(nearest[:SAID]))


def _agrees(one: Resemblance, sampling: float) -> bool:
    # drift stretches the slow direction alone, so that the fast one may be right where the mean is not
    within = one.low * (1 - MARGIN) <= sampling <= one.high * (1 + MARGIN)
    return within or abs(one.sampling / sampling - 1) <= AGREES


def _nearest(pool: Sequence[Resemblance], columns: int, sampling: float) -> list[Resemblance]:
    """Candidates whose size a usual error of the file would explain, the nearest first."""
    clear = [one for one in pool if one.stretch <= MOST_SHEAR]
    close = [one for one in clear if abs(one.sampling / sampling - 1) <= A_FEW_PERCENT]
    if close and columns > 1:
        return _once(close)
    factors = [f for f in FACTORS if columns > 1 or f in (0.1, 10.0)]
    off = [one for one in clear if any(_is_factor(one, sampling, f) for f in factors)]
    return _once(sorted(off, key=lambda one: one.misfit))


def _is_factor(one: Resemblance, sampling: float, factor: float) -> bool:
    return abs(one.sampling / sampling / factor - 1) <= FACTOR_GATE


def _once(candidates: Sequence[Resemblance]) -> list[Resemblance]:
    """The first of each crystal: seen with and without its faint columns it may be there twice."""
    return list({one.known.name: one for one in reversed(candidates)}.values())[::-1]


def _named(alike: Sequence[Resemblance], name: str) -> list[Resemblance]:
    words = {re.sub(r"\d{3,}$", "", word) for word in re.split(r"[^a-z0-9]+", name.lower())}
    return [one for one in alike if len(_crystal(one)) > 1 and _crystal(one).lower() in words]


def _crystal(one: Resemblance) -> str:
    return one.known.name.split(" ")[0]


def _objection(found, nearest, sampling, given, named, fitting) -> str:
    best = nearest[0]
    factor = next((f for f in FACTORS if _is_factor(best, sampling, f)), None)
    start = f"{given} {sampling:.4g} A/px, by which the {_shape(found)} is {_size(found, sampling)}"
    if factor is not None:
        times = f"{factor:g} times too small" if factor > 1 else f"{1 / factor:g} times too large"
        return (
            f"{start}; for {_spelled(best)}, which it resembles, that is {times}, {FACTORS[factor]}. The lattice "
            f"suggests {best.sampling:.4g} A/px. {DO}"
        )
    reason = "which the name says" if named else "which it resembles at the nearest size"
    if fitting:
        sizes = " or ".join(list(dict.fromkeys(one.known.name for one in fitting))[:2])
        reason += f" (by its size it could be {sizes})"
    others = [] if named else _distinct(nearest)[1:]
    then = f", then {', '.join(map(_with_sampling, others))}" if others else ""
    percent = 100 * (best.sampling / sampling - 1)
    return f"{start}; {_spelled(best)}, {reason}, suggests {best.sampling:.4g} A/px ({percent:+.1f} %){then}. {DO}"


def _distinct(candidates: Sequence[Resemblance]) -> list[Resemblance]:
    """The first few that suggest different samplings."""
    told: list[Resemblance] = []
    for one in candidates:
        if all(abs(one.sampling / other.sampling - 1) > ALIKE for other in told):
            told.append(one)
    return told[:NEAREST]


def _suggestion(found: Motif, alike: Sequence[Resemblance], named: bool) -> Calibration:
    candidates = _once(sorted(alike, key=lambda one: one.misfit))
    if len(found) == 1 and not named:
        # any metal has such a lattice along some axis
        return Calibration("undecided", candidates=tuple(candidates[:SAID]))
    samplings = [one.sampling for one in alike]
    told = _distinct(candidates)
    span = (
        f" (crystals of this kind reach from {min(samplings):.3g} to {max(samplings):.3g} A/px)"
        if len(candidates) > len(told)
        else ""
    )
    whose = "which the name says too" if named else "among others"
    sentence = (
        f"The file gives no pixel size. The {_shape(found)} resembles {', or '.join(map(_with_sampling, told))}"
        f"{f', {whose}' if named or len(candidates) > 1 else ''}{span}. Lengths stay in pixels; pass sampling=<A/px> "
        "if you know the crystal."
    )
    return Calibration("suggested", sentence, None, candidates[0].sampling, tuple(candidates[:SAID]))


def _with_sampling(one: Resemblance) -> str:
    return f"{_spelled(one)}: {one.sampling:.4g} A/px"


def _spelled(one: Resemblance) -> str:
    return f"{one.known.name} ({_lengths(*one.known.edges)})"


def _size(found: Motif, sampling: float) -> str:
    return _lengths(*(edge * sampling for edge in found.edges))


def _lengths(a: float, b: float) -> str:
    return f"{np.sqrt(a * b):.3f} A" if b < 1.03 * a else f"{a:.3f} x {b:.3f} A"


def _shape(found: Motif) -> str:
    a, b = reduced(found.vectors)
    angle = np.degrees(np.arccos(abs(a @ b) / np.hypot(*a) / np.hypot(*b)))
    equal = abs(np.hypot(*a) / np.hypot(*b) - 1) < 0.05
    if angle > 86:
        kind = "square" if equal else "rectangular"
    else:
        kind = "oblique" if not equal else "hexagonal" if angle < 64 else "rhombic"
    count = len(found)
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{kind} lattice of {number} sublattice{'s' if count > 1 else ''}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
