"""One line about a contest, in words that its numbers support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stemnet.analysis.resampling import Interval

FOUND = 0.9
"""From this score on something is found."""
MISSED = 0.5
"""Below this score it is missed; between the two it is seen in part."""


def equals_of_the_best(intervals: Mapping[str, Interval]) -> list[str]:
    """Methods that share the first place, the best first.

    Two methods are called equal where their intervals overlap; those here are
    equal to the one of the highest mean. Methods without a number are left out.
    """
    order = sorted(
        (name for name, one in intervals.items() if one.value == one.value),
        key=lambda name: -intervals[name].value,
    )
    return [name for name in order if intervals[name].overlaps(intervals[order[0]])]


def verdict(intervals: Mapping[str, Interval], what: str, unit: str) -> str:
    """Who wins, who comes next, in one sentence.

    The rule: two methods are called equal where their intervals overlap. The
    best, and all that are equal to it, are named, and find what was asked where
    the best's mean is `FOUND` or more, see it in part from `MISSED` on, and
    miss it below. One method does so ``alone`` where no other's mean reaches
    the same grade. The best of the others follows with its number.

    Parameters
    ----------
    intervals : mapping of str to Interval
        Score of each method, larger is better.
    what : str
        What was to be found.
    unit : str
        What the score is called.

    Returns
    -------
    str
        Without a full stop.
    """
    first = equals_of_the_best(intervals)
    if not first:
        return f"no method says anything of {what}"
    best = intervals[first[0]]
    rest = sorted(
        (name for name, one in intervals.items() if name not in first and one.value == one.value),
        key=lambda name: -intervals[name].value,
    )
    grade = _grade(best.value)
    if grade == "misses":
        return f"no method finds {what}: the best is {first[0]}, {unit} {best}"
    many = len(first) > 1
    verb = {"finds": "find" if many else "finds", "sees": "see" if many else "sees"}[grade]
    part = " in part" if grade == "sees" else ""
    alone = " alone" if not many and all(_grade(intervals[name].value) != grade for name in rest) else ""
    least = min(intervals[name].value for name in first)
    numbers = f"{unit} {least:.2f} to {best.value:.2f}" if many else f"{unit} {best}"
    equal = ", equal within error," if many else ""
    after = f"; next {rest[0]}, {intervals[rest[0]]}" if rest else ""
    return f"{joined(first)}{equal}{alone} {verb} {what}{part} ({numbers}{after})"


def against(method: str, other: str, intervals: Mapping[str, Interval]) -> str:
    """How one method stands to another by the same rule: ``"the VAE is worse than PCA (0.71 ± 0.02, 0.93 ± 0.01)"``."""
    one, two = intervals[method], intervals[other]
    if one.value != one.value or two.value != two.value:
        return f"{method} and {other} cannot be compared"
    if one.overlaps(two):
        return f"{method} and {other} are equal within error ({one}, {two})"
    return f"{method} is {'better' if one.value > two.value else 'worse'} than {other} ({one}, {two})"


def joined(names: Sequence[str]) -> str:
    """Names as in a sentence: ``"a, b and c"``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _grade(value: float) -> str:
    return "finds" if value >= FOUND else "sees" if value >= MISSED else "misses"
