"""A series of alloys: species, composition and order of each, and the distortions that come with them.

The recipe of R. K. Vasudevan et al., arXiv:2006.10001 (2020), for MoS2-ReS2:
neighbor vectors of all images in one basis, scores against global composition
and against the number of unlike neighbors, broken symmetry as two peaks of the
distortion in one environment, and a Gaussian process over both compositions.
"""

from __future__ import annotations

from collections.abc import Sequence

from stemnet.errors import StemnetError
from stemnet.studies.alloy_series_image import AlloyImage, alloy_image
from stemnet.studies.alloy_series_modes import Distortions, distortions
from stemnet.studies.alloy_series_numbers import about_distortions, about_image
from stemnet.studies.alloy_series_pictures import pictures
from stemnet.studies.alloy_series_tables import tables
from stemnet.studies.findings import Findings
from stemnet.studies.measured import Measured


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    species: Sequence[str] = ("Re", "Mo"),
    sublattice: int = 0,
    modes: int = 3,
    shells: int = 3,
) -> Findings:
    """Study how the distortions of an alloy follow its composition.

    Parameters
    ----------
    inputs : sequence of Measured
        One image per composition, or several.
    seed : int
        Of permutations, resamplings and the surface.
    species : sequence of str
        That share a sublattice; the first is counted.
    sublattice : int
        The one they share, the brightest 0.
    modes : int
        Of distortion.
    shells : int
        Of neighbors whose short-range order is asked for.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If fewer than two species are given, or no image could be studied.
    """
    if len(species) < 2:
        raise StemnetError(
            f"The species {list(species)} were given; an alloy has two or more on a sublattice, such as [Re, Mo]."
        )
    images, notes = _images(inputs, species, sublattice, shells, seed)
    found: Distortions | None = None
    try:
        found = distortions(images, modes, seed)
        notes += found.notes
    except StemnetError as error:
        notes.append(f"No modes of distortion: {error}")
    numbers = [number for image in images for number in about_image(image, species[0])]
    if found is not None:
        numbers += about_distortions(images, found, seed)
    return Findings(
        _summary(images, found, species[0]),
        tuple(numbers),
        tuple(tables(images, found, species[0])),
        tuple(pictures(images, found, species[0])),
        tuple(notes),
    )


def _images(
    inputs: Sequence[Measured], species: Sequence[str], sublattice: int, shells: int, seed: int
) -> tuple[list[AlloyImage], list[str]]:
    """All images that could be studied, by composition, and what was said."""
    images, reasons, notes = [], [], []
    for measured in inputs:
        try:
            image = alloy_image(measured, species, sublattice=sublattice, shells=shells, seed=seed)
        except StemnetError as error:
            reasons.append(f"{measured.name}: {error}")
            continue
        if not measured.confident:
            notes.append(f"{measured.name}: the columns are of low confidence.")
        notes += [f"{measured.name}: {note}" for note in image.notes]
        images.append(image)
    if not images:
        raise StemnetError(reasons[0])
    return sorted(images, key=lambda image: image.composition.value), reasons + notes


def _summary(images: list[AlloyImage], found: Distortions | None, species: str) -> str:
    shares = ", ".join(f"{image.composition.value:.1%}" for image in images)
    text = f"{species} on {shares} of the sites of {', '.join(image.name for image in images)}."
    doubted = [image.name for image in images if image.guessed]
    if doubted:
        text += f" Which species is which cannot be told in {', '.join(doubted)}: there the share is a guess."
    if found is None:
        return text
    variance = found.modes.explained_variance_ratio
    text += f" {len(found.modes)} modes of distortion hold {variance.sum():.0%} of the variance"
    broken = [
        image.name
        for image in images
        if any(row["two"] for row in found.two_peaks if row["image"] == image.name)
    ]
    if not broken:
        return f"{text}; no environment has scores that fall in two."
    return f"{text}; scores of one environment fall in two, a broken symmetry, in {', '.join(broken)}."
