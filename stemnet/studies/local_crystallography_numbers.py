"""The numbers of local crystallography, with what was planted."""

from __future__ import annotations

import numpy as np

from stemnet.analysis.comparison import rand_index
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.studies.findings import Number
from stemnet.studies.local_crystallography_image import LocalImage
from stemnet.studies.local_crystallography_shear import plane_change
from stemnet.studies.measured import at_true_places

SIGMAS = 3.0  # standard errors within which a value recovers what was planted
ALIKE = 0.9  # adjusted Rand index of clusters that are the planted domains
TRUSTED = 1.2  # errors over what their error bars say
EDGES = ("top to bottom", "left to right")
COMPONENTS = ("shear du_y/dx", "shear du_x/dy, the scan's own included")


def numbers_of(image: LocalImage) -> list[Number]:
    """All numbers of one image.

    Parameters
    ----------
    image : LocalImage

    Returns
    -------
    list of Number
    """
    return [*_environments(image), *_shifts(image), *_domains(image), *_shear(image)]


def _environments(image: LocalImage) -> list[Number]:
    name, found = image.measured.name, image.all
    numbers = [
        Number(name, "columns with all of their neighbors", float(image.vectors.valid.sum())),
        Number(name, "kinds of site, by intensity", float(image.kinds.max(initial=-1) + 1)),
    ]
    for words, clustering in (("vectors", found.vectors), ("angles", found.angles)):
        numbers += [
            Number(name, f"k-means on {words}: clusters", float(clustering.n_clusters)),
            Number(name, f"k-means on {words}: silhouette", clustering.silhouette),
        ]
    both = rand_index(found.vectors.labels, found.angles.labels)
    numbers.append(Number(name, "adjusted Rand index of the two", both))
    ratio = found.components.explained_variance_ratio
    numbers += [
        Number(name, f"principal component {i + 1}: share of the variance", float(share))
        for i, share in enumerate(() if ratio is None else ratio)
    ]
    planted = _planted_domain(image)
    if planted is not None:
        # a cluster is an environment: that of one kind of site in one domain
        environment = np.where(
            (image.kinds >= 0) & (planted >= 0), image.kinds * (planted.max() + 1) + planted, -1
        )
        words = "against kind of site and planted domain, adjusted Rand index"
        numbers += [
            Number(name, f"k-means on vectors {words}", rand_index(found.vectors.labels, environment)),
            Number(name, f"k-means on angles {words}", rand_index(found.angles.labels, environment)),
        ]
    return numbers


def _shifts(image: LocalImage) -> list[Number]:
    name, polar, (scale, unit) = image.measured.name, image.polar, image.length
    if not polar.any():
        return []
    moved = image.shifts
    numbers = [
        Number(name, "kind of site that is shifted most", float(moved.kind)),
        Number(name, "its median shift", scale * float(np.median(np.hypot(*moved.vectors[polar].T))), unit),
    ]
    known = polar & np.isfinite(moved.errors).all(axis=1)
    if known.any():
        usual = scale * float(np.median(moved.errors[known]))
        numbers.append(Number(name, "median standard error of a shift, per axis", usual, unit))
    truth = image.measured.truth
    if truth is not None and known.any():
        rings = neighbor_vectors(
            at_true_places(image.measured, image.rows, image.columns),
            center=int(image.columns["sublattice"][polar][0]),
            neighbors=image.neighbors,
            lattice=image.lattice,
        )
        true = -rings.values.reshape(len(rings), -1, 2).mean(axis=1)
        both = known & np.isfinite(true).all(axis=1)
        off = float(np.sqrt(((moved.vectors - true)[both] ** 2).mean()))
        said = float(np.sqrt((moved.errors[both] ** 2).mean()))
        numbers += [
            Number(name, "error of a shift, root mean square per axis", scale * off, unit),
            Number(name, "the same over what the error bars say", off / said, most=TRUSTED),
        ]
    return numbers


def _domains(image: LocalImage) -> list[Number]:
    name, (scale, unit), label = image.measured.name, image.length, image.domain
    if not (label >= 0).any():
        return []
    numbers = [Number(name, "domains of these columns", float(label.max() + 1))]
    planted = [part for axis in "yx" if (part := image.true(f"polar_{axis}_A")) is not None]
    known = len(planted) == 2 and image.columns.sampling is not None and image.caged
    for domain in range(label.max() + 1):
        mine = label == domain
        vectors = image.shifts.vectors[mine]
        mean, error = vectors.mean(axis=0), vectors.std(axis=0, ddof=1) / np.sqrt(mine.sum())
        length = float(np.hypot(*mean))
        along = float(np.hypot(*(mean / length * error)))
        across = float(np.hypot(*(mean[::-1] / length * error)))
        true = np.column_stack(planted)[mine].mean(axis=0) if known else np.full(2, np.nan)
        angle, right = (float(np.degrees(np.arctan2(*vector))) for vector in (mean, true))
        words = f"domain {domain}, {mine.sum()} columns"
        what = "polar shift" if image.caged else "shift"
        sizes = [scale * one for one in (length, along, float(np.hypot(*true)))]
        numbers.append(Number(name, f"{words}: {what}", sizes[0], unit, *sizes[1:]))
        if length > SIGMAS * across:
            turn = float(np.degrees(across / length))
            numbers.append(Number(name, f"{words}: direction", angle, "deg", turn, right))
        if known:
            off = float(np.abs((mean - true) / error).max())
            numbers.append(Number(name, f"{words}: off the truth over its error", off, most=SIGMAS))
    right_one = _planted_domain(image)
    if right_one is not None and image.domains is not None:
        mine = np.where(image.polar, right_one, -1)
        # domains that do not differ in their shift need not differ in their angles either
        least = ALIKE if image.caged else float("nan")
        numbers += [
            Number(
                name, f"domains by {words} against the planted ones, adjusted Rand index", index, least=least
            )
            for words, index in (
                ("vectors", rand_index(image.domains.vectors.labels, mine)),
                ("angles", rand_index(image.domains.angles.labels, mine)),
            )
        ]
    return numbers


def _shear(image: LocalImage) -> list[Number]:
    if image.shear is None:
        return []
    name, found, yx = image.measured.name, image.shear, image.columns.yx
    planted, turned = image.true("strain_yx"), image.true("rotation_rad")
    right = np.full((2, 2), np.nan)
    if planted is not None and turned is not None:
        # to first order: the symmetric part less and plus the rotation, which turns y towards x
        parts = (planted - turned, planted + turned)
        right = np.stack([plane_change(yx, part, image.columns.shape) for part in parts])
    numbers = []
    for part, component in enumerate(COMPONENTS):
        for way, words in enumerate(EDGES):
            value, error, true = found.change[part, way], found.change_errors[part, way], right[part, way]
            degrees = [float(np.degrees(one)) for one in (value, error, true)]
            numbers.append(Number(name, f"{component}, change {words}", degrees[0], "deg", *degrees[1:]))
            if np.isfinite(true) and part == 0:
                off = float(abs(value - true) / error)
                numbers.append(
                    Number(name, f"the same: off the truth over its error, {words}", off, most=SIGMAS)
                )
    if planted is not None:
        both = np.isfinite(found.angle) & np.isfinite(planted)
        off = (found.angle - 2 * planted)[both]
        rms = float(np.degrees(off.std()))
        numbers += [
            Number(name, "error of the shear angle around a column, root mean square", rms, "deg"),
            Number(
                name,
                "correlation of the shear angle around a column with the planted one",
                float(np.corrcoef(found.angle[both], planted[both])[0, 1]),
            ),
        ]
    return numbers


def _planted_domain(image: LocalImage) -> np.ndarray | None:
    domain = image.true("domain")
    return None if domain is None or domain.dtype.kind not in "iu" else domain
