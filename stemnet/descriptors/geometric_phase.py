"""Geometric phase analysis: strain from the image itself, without columns.

The image filtered around one reflection g is a fringe; where the lattice is
strained the fringe's local frequency differs from g. Two fringes give the local
lattice. (M. J. Hytch, E. Snoeck and R. Kilaas, Ultramicroscopy 74, 131, 1998.)
Frequencies come from the filtered image and its gradient: no phase is unwrapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.ndimage import map_coordinates, maximum_filter, median

from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.strain import NAMES, decomposed
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

RESOLUTION = 0.2  # width of the mask, in distances of the reflections: the next one is let through to 4e-6
MARGIN = 3.0  # of the mask's widths in real space; there the opposite edge is felt to 5e-4 in strain
ABOVE_NOISE = 60.0  # times the median of its ring: a peak of noise in four million pixels has 22
HIGHEST = 2  # reflections along each reciprocal vector


@dataclass(frozen=True)
class PhaseStrain:
    """Strain in every pixel.

    Parameters
    ----------
    maps : ndarray, shape (5, H, W)
        `strain.NAMES`, of the same meaning and sign; NaN where not `valid`.
    valid : ndarray of bool, shape (H, W)
        Both fringes are strong enough and the edge is far.
    amplitude : ndarray, shape (H, W)
        Of the weaker fringe, as a share of its largest (95th percentile): the confidence.
    vectors : ndarray, shape (2, 2)
        Reciprocal vectors of the reference as rows (y, x) [1/px].
    resolution : float
        Standard deviation of the Gaussian that strain is smoothed with [px].
    """

    maps: np.ndarray
    valid: np.ndarray
    amplitude: np.ndarray
    vectors: np.ndarray
    resolution: float

    def __getitem__(self, name: str) -> np.ndarray:
        """Map of one of `strain.NAMES`, shape (H, W)."""
        return self.maps[NAMES.index(name)]

    def at(self, yx: np.ndarray) -> Descriptors:
        """Strain at places (N, 2) [px], to be compared with that from columns."""
        at = np.asarray(yx, dtype=float).T
        values = np.stack([map_coordinates(m, at, order=1, cval=np.nan) for m in self.maps], axis=1)
        valid = np.isfinite(values).all(axis=1)
        return Descriptors(np.where(valid[:, None], values, np.nan), NAMES, yx, valid)


def geometric_phase(
    image: np.ndarray,
    lattice: Lattice | None = None,
    *,
    vectors: np.ndarray | None = None,
    reference: Lattice | np.ndarray | None = None,
    width: float | None = None,
    threshold: float = 0.25,
) -> PhaseStrain:
    """Measure strain from the phases of two reflections.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Any unit, finite.
    lattice : Lattice, optional
        Its two reflections that are strongest together are taken.
    vectors : ndarray, shape (2, 2), optional
        Reciprocal vectors instead, as rows (y, x) [1/px]. Without both, the
        strongest peaks of the spectrum are taken.
    reference : Lattice or ndarray of bool, shape (H, W), optional
        What has no strain: a lattice [px], or the mean of a region. By default
        the mean of all valid pixels.
    width : float, optional
        Standard deviation of the Gaussian mask [1/px], by default a fifth of the
        distance of the reflections; wide masks let noise and others through.
    threshold : float
        Least amplitude of a valid pixel, as a share.

    Returns
    -------
    PhaseStrain

    Raises
    ------
    StemnetError
        If no reflection stands out, the reference fits nothing, or the image is
        none or smaller than its margins.
    """
    image = _checked(image)
    if vectors is None:
        vectors = strongest_reflections(image, lattice)
    g = _independent(np.asarray(vectors, dtype=float))
    if width is None:
        width = RESOLUTION * _reflection_distance(g, lattice)
    if not width > 0:
        raise StemnetError(
            f"A mask of width {width:g} 1/px was asked for; give a positive one, such as 0.01."
        )
    found, amplitude = zip(*(_frequency(image, one, width) for one in g), strict=True)
    share = np.min([a / max(np.percentile(a, 95), 1e-300) for a in amplitude], axis=0)
    resolution = 1 / (2 * np.pi * width)
    valid = (share > threshold) & _inside(image.shape, MARGIN * resolution)
    local = np.stack(found, axis=-2)
    start = _reference_vectors(g, local, valid, reference)
    values = np.full((*image.shape, len(NAMES)), np.nan)
    # a phase stays with matter: local frequencies are g F^-1
    values[valid] = decomposed(np.linalg.inv(local[valid]) @ start)
    return PhaseStrain(np.moveaxis(values, -1, 0), valid, share, start, resolution)


def _checked(image):
    image = np.asarray(image, dtype=float)
    if image.ndim != 2 or not np.isfinite(image).all() or np.ptp(image) == 0:
        raise StemnetError(
            f"An array of shape {image.shape} came, flat or {np.isfinite(image).mean():.0%} finite; geometric phase "
            "analysis needs one image that is finite and not flat. Choose a frame, and fill gaps."
        )
    return image - image.mean()


def _independent(g):
    if g.shape != (2, 2) or abs(np.linalg.det(g)) < 0.05 * np.hypot(*g[0]) * np.hypot(*g[1]) or not g.any():
        raise StemnetError(
            f"The reciprocal vectors {g.tolist()} are not two directions; give two rows (y, x) [1/px] that differ."
        )
    return g


def _reflection_distance(g, lattice):
    """Distance between neighboring reflections [1/px]."""
    basis = g if lattice is None else np.linalg.inv(lattice.vectors).T
    return min(np.hypot(*v) for v in (basis[0], basis[1], basis[0] - basis[1], basis[0] + basis[1]))


def _frequency(image, g, width):
    """Local frequency of the fringe of one reflection, (H, W, 2) [1/px], and its amplitude, (H, W)."""
    ky, kx = (np.fft.fftfreq(n) for n in image.shape)
    ky, kx = ky[:, None], kx[None]
    mask = np.exp(-((ky - g[0]) ** 2 + (kx - g[1]) ** 2) / (2 * width**2))
    spectrum = np.fft.fft2(image) * mask
    fringe = np.fft.ifft2(spectrum)
    power = np.maximum(np.abs(fringe) ** 2, 1e-300)
    parts = [np.real(np.fft.ifft2(spectrum * k) * np.conj(fringe)) / power for k in (ky, kx)]
    return np.stack(parts, axis=-1), np.sqrt(power)


def _inside(shape, margin):
    """Pixels further from all edges than a margin, (H, W)."""
    y, x = (np.minimum(np.arange(n), n - 1 - np.arange(n)) > margin for n in shape)
    if not (y.any() and x.any()):
        raise StemnetError(
            f"The image has {shape[0]} x {shape[1]} px, of which {margin:.0f} px along each edge are not valid; use a "
            "larger field of view, or a wider mask (width=)."
        )
    return y[:, None] & x


def _reference_vectors(g, local, valid, reference):
    """Reciprocal vectors of what has no strain, (2, 2)."""
    if isinstance(reference, Lattice):
        order = g @ reference.vectors.T
        if np.abs(order - np.round(order)).max() > 0.2:
            raise StemnetError(
                f"The reflections are of orders {np.round(order, 2).tolist()} of the reference lattice, which must be "
                "whole numbers; give its vectors in pixels, turned as the crystal is, or a region as the reference."
            )
        return np.round(order) @ np.linalg.inv(reference.vectors).T
    region = valid
    if reference is not None:
        chosen = np.asarray(reference)
        if chosen.shape != valid.shape or chosen.dtype != bool:
            raise StemnetError(
                f"The reference region came with shape {chosen.shape} and type {chosen.dtype}; give True or False for "
                f"each of {valid.shape[0]} x {valid.shape[1]} pixels."
            )
        region = valid & chosen
    if not region.any():
        raise StemnetError(
            "No pixel of the reference region is valid (too near an edge, or the fringes are too weak there); choose "
            "another region, or lower the threshold."
        )
    return local[region].mean(axis=0)


def strongest_reflections(image: np.ndarray, lattice: Lattice | None = None) -> np.ndarray:
    """Choose two reflections that are strong and point in different directions.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    lattice : Lattice, optional
        Only its reflections of first and second order are looked at.

    Returns
    -------
    ndarray, shape (2, 2)
        Reciprocal vectors as rows (y, x) [1/px].

    Raises
    ------
    StemnetError
        If no two stand out of the spectrum.
    """
    image = _checked(image)
    window = np.hanning(image.shape[0])[:, None] * np.hanning(image.shape[1])
    power = np.abs(np.fft.fft2((image - np.average(image, weights=window + 1e-9)) * window)) ** 2
    ky, kx = (np.fft.fftfreq(n) for n in image.shape)
    k = np.hypot(ky[:, None], kx)
    if lattice is None:
        ring = np.round(k * min(image.shape)).astype(int)
        floor = median(power, ring, np.arange(ring.max() + 1))[ring]
        half = (ky[:, None] > 0) | ((ky[:, None] == 0) & (kx > 0))
        peak = (power == maximum_filter(power, 5, mode="wrap")) & (power > ABOVE_NOISE * floor) & half
        y, x = np.nonzero(peak & (k > 4 / min(image.shape)) & (k < 0.45))
        candidates = np.stack([ky[y], kx[x]], axis=1)
        best = np.argsort(-power[y, x], kind="stable")[:30]
        candidates, strength = candidates[best], power[y, x][best]
    else:
        order = np.array([h for h in product(range(-HIGHEST, HIGHEST + 1), repeat=2) if h > (0, 0)])
        candidates = order @ np.linalg.inv(lattice.vectors).T
        candidates = candidates[(np.abs(candidates) < 0.45).all(axis=1)]
        near = maximum_filter(power, 5, mode="wrap")
        strength = near[tuple(np.round(candidates * image.shape).astype(int).T)]
    pairs = [
        (np.sqrt(strength[i] * strength[j]) * abs(sine), i, j)
        for i, j in combinations(range(len(candidates)), 2)
        if abs(sine := np.linalg.det(candidates[[i, j]]) / np.prod(np.hypot(*candidates[[i, j]].T))) > 0.4
    ]
    if not pairs:
        raise StemnetError(
            f"{len(candidates)} reflections stand out of the image's spectrum, and no two in different directions; "
            "geometric phase analysis needs a crystal. Give vectors=, or use strain from columns."
        )
    _, first, second = max(pairs)
    return candidates[[first, second]]
