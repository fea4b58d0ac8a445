"""The numbers of an alloy series, with what was planted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.analysis.modes import mode_angles
from stemnet.analysis.score_statistics import Row
from stemnet.studies.alloy_series_image import RIGHT, AlloyImage
from stemnet.studies.alloy_series_modes import (
    ALL,
    Distortions,
    correlation,
    planted_scores,
    planted_shapes,
    surface_over,
    true_rows,
    two_peaks,
)
from stemnet.studies.findings import Number

SIGMAS = 2.0  # standard errors within which a value recovers what was planted
ANGLE = 10.0  # between found and planted modes [deg]
CLOSE = 0.95  # correlation of scores with planted amplitudes


def about_image(image: AlloyImage, species: str) -> list[Number]:
    """Species, composition and order of one image.

    Parameters
    ----------
    image : AlloyImage
    species : str
        That is counted.

    Returns
    -------
    list of Number
    """
    name, share = image.name, image.composition
    known = np.isfinite(image.probability)
    numbers = [Number(name, "columns of the alloyed sublattice", float(known.sum()))]
    truth, species_of, true_share = image.measured.truth, image.true("species"), np.nan
    if truth is not None and species_of is not None:
        found, columns = known & (species_of != ""), truth.columns
        right = float((image.species.species[found] == species_of[found]).mean()) if found.any() else np.nan
        here = np.asarray(columns["sublattice"]) == np.asarray(image.true("sublattice"))[found][:1]
        true_share = float((np.asarray(columns["species"])[here] == species).mean())
        numbers.append(Number(name, "species told rightly, share", right, least=RIGHT))
    sure = float(np.nanmean(np.maximum(image.probability, 1 - image.probability)))
    if not image.guessed:
        numbers.append(Number(name, "species told rightly, as expected from the intensities", sure))
    numbers += [
        Number(
            name,
            f"global composition, share of {species}",
            share.value,
            sigma=float(np.hypot(share.sigma, share.sampling_sigma)),
            truth=true_share,
        ),
    ]
    local = image.true("local_composition")
    if local is not None:
        off = (image.local - local)[np.isfinite(image.local) & np.isfinite(local)]
        numbers.append(
            Number(name, "error of local composition, root mean square", float(np.sqrt((off**2).mean())))
        )
    unlike = image.true("unlike_neighbors")
    if unlike is not None:
        full = np.isfinite(image.unlike) & (unlike >= 0)
        exact = float((np.round(image.unlike) == unlike)[full].mean()) if full.any() else np.nan
        numbers.append(Number(name, "unlike neighbors counted rightly, share", exact))
    if image.binomial is not None and np.isfinite(image.binomial.p_value):
        numbers.append(Number(name, "unlike neighbors against a random alloy, p", image.binomial.p_value))
    return numbers + _about_order(image)


def _about_order(image: AlloyImage) -> list[Number]:
    name, order = image.name, image.order
    truth = image.measured.truth
    planted = np.nan
    if truth is not None and "warren_cowley" in truth.fields:
        planted = float(np.mean(np.asarray(truth.fields["warren_cowley"], dtype=np.float64)))
    numbers = [
        Number(
            name,
            f"Warren-Cowley parameter, shell {shell + 1}",
            float(alpha),
            sigma=float(order.sigma[shell]),
            truth=planted if shell == 0 else np.nan,
        )
        for shell, alpha in enumerate(order.alpha)
        if np.isfinite(alpha)
    ]
    if np.isfinite(planted):
        off = abs(order.alpha[0] - planted) / order.sigma[0]
        numbers.append(
            Number(name, "Warren-Cowley parameter, off the truth over its error", float(off), most=SIGMAS)
        )
    return numbers


def about_distortions(images: Sequence[AlloyImage], found: Distortions, seed: int) -> list[Number]:
    """Modes and scores of all images together.

    Parameters
    ----------
    images : sequence of AlloyImage
    found : Distortions
    seed : int

    Returns
    -------
    list of Number
    """
    modes, scale, unit = found.modes, found.scale, found.unit
    numbers = [
        Number("all", f"mode {number + 1}: share of the variance", float(ratio))
        for number, ratio in enumerate(modes.explained_variance_ratio)
    ]
    errors = np.concatenate(modes.score_errors)
    if np.isfinite(errors).any():
        usual = scale * float(np.nanmedian(errors))
        numbers.append(Number("all", "median standard error of a score", usual, unit))
    for image, scores in zip(images, modes.expected_scores, strict=True):
        size = scale * np.linalg.norm(scores[np.isfinite(scores).all(axis=1)], axis=1)
        error = float(size.std() / np.sqrt(len(size)))
        words = "mean distortion, length over all modes"
        numbers.append(Number(image.name, words, float(size.mean()), unit, sigma=error))
    for image in images:
        asked = [row for row in found.two_peaks if row["image"] == image.name and _asked(row)]
        two = float(sum(int(row["two"]) for row in asked))
        words = f"scores of one environment that fall in two, of {len(asked)} modes and environments"
        numbers.append(Number(image.name, words, two))
    return numbers + _against_truth(images, found, seed)


def _against_truth(images: Sequence[AlloyImage], found: Distortions, seed: int) -> list[Number]:
    modes = found.modes
    planted = planted_scores(images, modes)
    if planted is None:
        return []
    rows = true_rows(images, modes)
    angle = float(np.degrees(mode_angles(modes.shapes, planted_shapes(rows, planted)).max()))
    plain, expected = correlation(modes.scores, planted), correlation(modes.expected_scores, planted)
    words = "with planted amplitudes"
    numbers = [
        Number("all", "largest angle between found and planted modes", angle, "deg", most=ANGLE),
        Number("all", f"correlation of scores {words}", plain, least=CLOSE),
        Number("all", f"correlation of expected scores {words}", expected, least=CLOSE),
    ]
    true = [(part - modes.mean.ravel()) @ modes.shapes.reshape(len(modes), -1).T for part in rows]
    if ALL in found.surfaces:
        right = surface_over(images, [np.linalg.norm(part, axis=1) for part in true], seed)
        off = float(np.sqrt(((found.surfaces[ALL].mean - right.mean) ** 2).mean()))
        words = "surface of all modes, off that of the true positions, root mean square"
        usual = float(np.sqrt((found.surfaces[ALL].sigma ** 2).mean()))
        numbers += [
            Number("all", words, found.scale * off, found.unit),
            Number("all", "the same over its standard error", off / usual, most=1.0),
        ]
    pairs = _same(found.two_peaks, two_peaks(images, true, seed))
    if pairs:
        words = "environments in which scores fall in two as those of the true positions do, share"
        numbers.append(Number("all", words, float(np.mean(pairs))))
    return numbers


def _same(found: Sequence[Row], true: Sequence[Row]) -> list[bool]:
    """Whether environments that both could be asked for are judged alike."""
    keys = ("image", "mode", "counted", "unlike")
    known = {tuple(row[key] for key in keys): row["two"] for row in true if _asked(row)}
    return [
        row["two"] == known[key]
        for row in found
        if _asked(row) and (key := tuple(row[name] for name in keys)) in known
    ]


def _asked(row: Row) -> bool:
    """Whether there were scores enough to tell one peak from two."""
    return bool(np.isfinite(row["bic_difference"]))
