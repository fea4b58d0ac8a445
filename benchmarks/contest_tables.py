"""Tables and sentences of the contest, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stemnet.analysis.contest import Row, contest_verdict, intervals
from stemnet.analysis.contest_crystals import Question
from stemnet.analysis.resampling import Interval, over_seeds
from stemnet.analysis.verdict import against, equals_of_the_best

ALL = {
    "explained_held_out": "explained, held out",
    "explained_other": "explained, other image",
    "r2_linear": "R2, linear",
    "r2_neighbors": "R2, neighbors",
    "information_nats": "information [nats]",
    "information_gap": "information gap",
    "separated_predictability": "SAP",
    "subspace_angle_deg": "subspace angle [deg]",
    "ari": "ARI",
    "nmi": "NMI",
    "accuracy": "accuracy",
    "ari_other": "ARI, other image",
    "f1_rare": "F1 of the rare class",
    "angle_error_deg": "angle error, rms [deg]",
    "angle_error_median_deg": "angle error, median [deg]",
    "stability": "stability",
    "moran_i": "Moran's I",
    "moran_z": "its z",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "wall_s": "wall [s]",
    "cpu_s": "CPU [s]",
}
"""Numbers of `--all`, and what they are called."""


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def scores_table(rows: Sequence[Row], questions: Mapping[str, Question]) -> str:
    """The number that answers each world's question, for every method; the best and its equals are bold."""
    lines = []
    methods: list[str] = []
    for world, question in questions.items():
        found = intervals(rows, world, question.score)
        methods = list(found)
        lines.append([world, question.unit, *_with_the_best_bold(found)])
    return markdown(["world", "score", *methods], lines)


def verdicts(rows: Sequence[Row], questions: Mapping[str, Question]) -> str:
    """A sentence for each world, and how the autoencoders stand to principal components."""
    lines = []
    for world, question in questions.items():
        found = intervals(rows, world, question.score)
        beside = [against(method, "PCA", found) for method in ("VAE", "rVAE")]
        lines.append(f"- **{world}**: {contest_verdict(rows, world, question)}. {'; '.join(beside)}.")
    return "\n".join(lines) + "\n"


def everything(rows: Sequence[Row], world: str) -> str:
    """All numbers of one world."""
    table = {name: intervals(rows, world, score) for score, name in ALL.items()}
    methods = list(next(iter(table.values())))
    known = {
        name: found for name, found in table.items() if any(one.value == one.value for one in found.values())
    }
    return markdown([world, *methods], [[name, *map(str, found.values())] for name, found in known.items()])


def over_worlds(rows: Sequence[Row], scores: Sequence[str], title: str = "mean over all worlds") -> str:
    """Numbers that do not depend on what is asked, over all worlds and seeds."""
    methods = list(dict.fromkeys(str(row["method"]) for row in rows))
    lines = []
    for score in scores:
        found = {m: over_seeds([float(r[score]) for r in rows if r["method"] == m]) for m in methods}  # type: ignore[arg-type]
        form: Callable[[Interval], str] = (
            (lambda one: f"{one.value:.3f}") if score.endswith("_s") else (lambda one: f"{one.value:.2f}")
        )
        lines.append([ALL[score], *("-" if one.value != one.value else form(one) for one in found.values())])
    return markdown([title, *methods], lines)


def filled(page: Path, tables: Mapping[str, str]) -> None:
    """Put tables between ``<!-- table: NAME -->`` and ``<!-- end -->`` of a page; the words around stay."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = re.sub(
            rf"(<!-- table: {name} -->\n).*?(<!-- end -->)",
            lambda found, table=table: f"{found[1]}\n{table}\n{found[2]}",
            text,
            flags=re.DOTALL,
        )
    page.write_text(text, encoding="utf-8")


def _with_the_best_bold(found: Mapping[str, Interval]) -> list[str]:
    first = equals_of_the_best(found)
    return [f"**{one}**" if name in first else str(one) for name, one in found.items()]
