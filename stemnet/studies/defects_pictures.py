"""Defects, drawn."""

from __future__ import annotations

import numpy as np

from stemnet.descriptors.local_misfit import MOST
from stemnet.studies.defects_found import Found
from stemnet.studies.defects_list import (
    BOUNDARY,
    BRIGHTER,
    DIMMER,
    DISLOCATION,
    DISTORTED,
    INTERSTITIAL,
    KINDS,
    VACANCY,
)
from stemnet.studies.findings import Picture

SHORT = {
    VACANCY: "missing",
    BRIGHTER: "brighter",
    DIMMER: "darker",
    INTERSTITIAL: "off lattice",
    BOUNDARY: "boundary",
    DISLOCATION: "dislocation",
    DISTORTED: "misfit",
}
"""Kinds as they stand above a patch."""


def pictures_of(found: Found, shown: int) -> list[Picture]:
    """A map, and a gallery of so many patches where there is a defect."""
    name = found.measured.name
    caption = (
        f"{name}: defects by kind; how unusual the neighborhood of every column is (the largest of misfit, psi_n and "
        "Voronoi area, each in standard errors); intensities against their level. Gray: not judged."
    )
    pictures = [Picture(f"{name}_defects", caption, lambda: _map(found))]
    if len(found.defects) and shown > 0:
        caption = (
            f"{name}: the strongest defects of every kind in turn, in one scale of gray; s is the score in standard "
            "errors, P the probability that no column is there."
        )
        pictures.append(Picture(f"{name}_gallery", caption, lambda: _gallery(found, shown)))
    return pictures


def chosen(found: Found, shown: int) -> np.ndarray:
    """Rows of the defects of a gallery: the strongest of every kind in turn, then sorted by kind."""
    kind = found.defects.kind
    rank = np.zeros(len(kind), int)
    for one in KINDS:
        rank[kind == one] = np.arange((kind == one).sum())
    number = np.array([list(KINDS).index(one) for one in kind], dtype=int)
    first = np.lexsort((number, rank))[:shown]
    return first[np.lexsort((rank[first], number[first]))]


def _map(found: Found):
    from stemnet.report.defects import defect_figure

    grains, about, listed = found.grains, found.structure, found.defects
    rows = np.nonzero(grains.strong)[0]
    judged = about.score[rows]
    judged[about.surface[rows]] = np.nan
    return defect_figure(
        found.measured.micrograph.frames[0],
        {words: listed.yx[listed.of(kind)] for kind, words in KINDS.items()},
        grains.columns.yx[rows],
        judged,
        None if found.light is None else found.light.deviation[rows],
        burgers=(about.cores.yx, about.cores.burgers),
        sampling=grains.columns.sampling,
        title=found.measured.name,
    )


def _gallery(found: Found, shown: int):
    from stemnet.report.defects import COLORS
    from stemnet.report.defects_gallery import gallery_figure

    listed, rows = found.defects, chosen(found, shown)
    scores = []
    for row in rows:
        score = listed.score[row]
        text = f"s > {MOST:.0f}" if score >= MOST else f"s = {score:.1f}" if np.isfinite(score) else ""
        if np.isfinite(chance := listed.probability[row]):
            text += f"{', ' if text else ''}P = {chance:.2f}"
        scores.append(text)
    number = [list(KINDS).index(kind) for kind in listed.kind[rows]]
    return gallery_figure(
        found.measured.micrograph.frames[0],
        listed.yx[rows],
        [SHORT[kind] for kind in listed.kind[rows]],
        scores,
        [COLORS[i] for i in number],
        spacing=found.grains.spacing,
        sampling=found.grains.columns.sampling,
        title=found.measured.name,
    )
