"""The pictures of an alloy series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.studies.alloy_series_image import AlloyImage
from stemnet.studies.alloy_series_modes import Distortions
from stemnet.studies.findings import Picture

LONGEST = 18  # letters of a name above a small panel


def pictures(images: Sequence[AlloyImage], found: Distortions | None, species: str) -> list[Picture]:
    """Pictures of the series, then one of each image.

    Parameters
    ----------
    images : sequence of AlloyImage
    found : Distortions or None
        None where there are no modes.
    species : str
        That is counted.

    Returns
    -------
    list of Picture
    """
    made = [] if found is None else [_modes(images, found), _violins(images, found, species)]
    if found is not None and found.surfaces:
        made.append(_surfaces(found, species))
    made.append(_order(images))
    return [*made, *(_of_image(image, number, found, species) for number, image in enumerate(images))]


def _modes(images: Sequence[AlloyImage], found: Distortions) -> Picture:
    def draw():
        from stemnet.report.modes import ScoreMap, modes_figure

        modes = found.modes
        rows = [np.isfinite(image.probability) for image in images]
        return modes_figure(
            modes.mean,
            modes.shapes,
            modes.explained_variance,
            modes.explained_variance_ratio,
            [
                ScoreMap(
                    f"{_short(image.name)} ({image.composition.value:.1%})",
                    image.measured.micrograph.frames[0],
                    image.columns.yx[mine],
                    found.scale * scores[mine],
                    image.columns.sampling,
                )
                for image, scores, mine in zip(images, modes.expected_scores, rows, strict=True)
            ],
            unit="Å" if modes.unit == "A" else modes.unit,
            score_unit=found.unit,
            title="modes of distortion",
        )

    return Picture(
        "modes",
        "Modes of distortion of all images together: arrows are what one standard deviation of the scores does "
        "to the neighbors, enlarged, in the frame of the first image; below, the scores of every image in one scale.",
        draw,
    )


def _short(name: str) -> str:
    """A name that fits above a small panel."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _violins(images: Sequence[AlloyImage], found: Distortions, species: str) -> Picture:
    def draw():
        from stemnet.report.violins import Violins, violins_figure

        scores = [found.scale * part for part in found.modes.expected_scores]
        full = int(images[0].shells.size[0])
        unlike = np.concatenate([np.round(image.unlike) for image in images])
        counted = np.concatenate([image.counted for image in images])
        joint = np.concatenate(scores)
        sides = [
            [joint[(counted == kind) & (unlike == number)] for number in range(full + 1)]
            for kind in (True, False)
        ]
        others = sorted({str(name) for image in images for name in image.species.species[~image.counted]
                         if name in image.species.levels[image.sublattice].names})  # fmt: skip
        return violins_figure(
            [
                Violins(
                    [scores],
                    [f"{image.composition.value:.1%}" for image in images],
                    f"{species} in the image",
                ),
                Violins(
                    sides, [str(n) for n in range(full + 1)], "unlike neighbors", (species, ", ".join(others))
                ),
            ],
            len(found.modes),
            unit=found.unit,
            title="scores of the modes",
        )

    return Picture(
        "violins",
        "Expected scores of the modes by the composition of the image, and of all images by the number of unlike "
        "neighbors; circles: medians, bars: quartiles.",
        draw,
    )


def _surfaces(found: Distortions, species: str) -> Picture:
    def draw():
        from stemnet.report.score_surface import surface_figure

        return surface_figure(
            found.surfaces,
            unit=found.unit,
            scale=found.scale,
            species=species,
            title="mean size of the scores",
        )

    return Picture(
        "score_surface",
        "Gaussian process of the mean size of the scores over local and global composition, and its standard "
        "error; disks: the means it was fitted to and their errors, larger for more columns.",
        draw,
    )


def _order(images: Sequence[AlloyImage]) -> Picture:
    def draw():
        from stemnet.report.unlike_neighbors import order_figure

        return order_figure(
            {image.name: image.binomial for image in images if image.binomial is not None},
            {image.name: image.order for image in images},
            title="order of the alloy",
        )

    return Picture(
        "order",
        "Numbers of unlike nearest neighbors beside the binomial ones of a random alloy, and Warren-Cowley "
        "parameters by shell; gray: their spread in a random alloy.",
        draw,
    )


def _of_image(image: AlloyImage, number: int, found: Distortions | None, species: str) -> Picture:
    def draw():
        from stemnet.report.modes_alloy import alloy_figure

        mine = np.isfinite(image.probability)
        size = None
        if found is not None:
            size = found.scale * np.linalg.norm(found.modes.expected_scores[number][mine], axis=1)
        return alloy_figure(
            image.measured.micrograph.frames[0],
            image.columns.yx[mine],
            image.species.species[mine],
            image.local[mine],
            size,
            counted=species,
            unit="" if found is None else found.unit,
            sampling=image.columns.sampling,
            title=f"{image.name}: {image.composition.value:.1%} {species}",
        )

    return Picture(
        f"{image.name}_alloy",
        f"{image.name}: species of the columns, share of {species} among their nearest neighbors, and how "
        "much the neighbors are moved.",
        draw,
    )
