"""The electron probe: aberrations to transfer function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real

import numpy as np
import scipy.fft

from stemnet.errors import StemnetError

TABLE = 64
"""Least number of points across a transfer function; probes with wide aberrated tails get more."""
LARGEST_TABLE = 1024
EDGE, SPREAD, SOURCE = 8.0, 28.0, 12.0
"""The field that a table spans is at least so many times its outermost ray, its rays' root mean square, and the
source's sigma."""
FWHM = 2 * np.sqrt(2 * np.log(2))


def wavelength(voltage: float) -> float:
    """Relativistic electron wavelength [A] at an acceleration voltage [kV]."""
    energy = voltage * 1e3
    return 12.2643 / np.sqrt(energy * (1 + 0.978476e-6 * energy))


@dataclass(frozen=True)
class Probe:
    """A convergent probe.

    Aberration coefficients are those of Krivanek et al., Ultramicroscopy 78, 1
    (1999): chi(theta, phi) = (2 pi / wavelength) sum of C_nm theta^(n + 1) / (n + 1)
    cos(m (phi - phi_nm)).

    Parameters
    ----------
    voltage : float
        [kV]
    semi_angle : float
        Convergence semi-angle [mrad].
    defocus : float
        C10 [A].
    astigmatism, astigmatism_angle : float
        Two-fold, C12 [A], and its direction [rad].
    coma, coma_angle : float
        Axial, C21 [A], and its direction [rad].
    threefold, threefold_angle : float
        Astigmatism C23 [A] and its direction [rad].
    cs : float
        Spherical aberration, C30 [A] (1 mm is 1e7).
    star, star_angle : float
        C32 [A] and its direction [rad].
    fourfold, fourfold_angle : float
        Astigmatism C34 [A] and its direction [rad].
    c5 : float
        Spherical aberration of fifth order, C50 [A].
    source_size : float
        Full width at half maximum of the effective source [A].
    defocus_spread : float
        Standard deviation of the focus, from the energy spread and chromatic
        aberration [A].
    tails : float
        Share of the probe's current in wide Lorentzian tails, 0 to 1: what a
        specimen of some thickness and inelastic scattering add.
    """

    voltage: float = 200.0
    semi_angle: float = 25.0
    defocus: float = 0.0
    astigmatism: float = 0.0
    astigmatism_angle: float = 0.0
    coma: float = 0.0
    coma_angle: float = 0.0
    threefold: float = 0.0
    threefold_angle: float = 0.0
    cs: float = 0.0
    star: float = 0.0
    star_angle: float = 0.0
    fourfold: float = 0.0
    fourfold_angle: float = 0.0
    c5: float = 0.0
    source_size: float = 0.7
    defocus_spread: float = 0.0
    tails: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (isinstance(value, Real) and math.isfinite(value)):
                raise StemnetError(f"A probe's {name} of {value!r} was asked for; give a number.")
        if not (0 < self.semi_angle < 200 and 10 <= self.voltage <= 2000 and self.source_size >= 0):
            raise StemnetError(
                f"A probe of {self.voltage} kV, {self.semi_angle} mrad and {self.source_size} A source was "
                "asked for; give 10 to 2000 kV, a semi-angle between 0 and 200 mrad and a source size of 0 "
                "or more."
            )
        if not (self.defocus_spread >= 0 and 0 <= self.tails <= 1):
            raise StemnetError(
                f"A probe with a defocus spread of {self.defocus_spread} A and {self.tails} of its current in "
                "tails was asked for; give a spread of 0 or more and a share from 0 to 1."
            )
        _table_size(self)


def aberration(probe: Probe, theta_y: np.ndarray, theta_x: np.ndarray) -> np.ndarray:
    """The aberration function without the defocus, as a length: chi = 2 pi / wavelength times this [A].

    Parameters
    ----------
    probe : Probe
    theta_y, theta_x : ndarray
        Angles in the pupil [rad].

    Returns
    -------
    ndarray
    """
    theta2 = theta_y**2 + theta_x**2
    phi = np.arctan2(theta_y, theta_x)
    length = theta2**2 / 4 * probe.cs + theta2**3 / 6 * probe.c5
    for order, fold, size, angle in (
        (1, 2, probe.astigmatism, probe.astigmatism_angle),
        (2, 1, probe.coma, probe.coma_angle),
        (2, 3, probe.threefold, probe.threefold_angle),
        (3, 2, probe.star, probe.star_angle),
        (3, 4, probe.fourfold, probe.fourfold_angle),
    ):
        if size:
            length += theta2 ** ((order + 1) / 2) / (order + 1) * size * np.cos(fold * (phi - angle))
    return length


def _table_size(probe: Probe) -> int:
    """Points across the table: enough that the aberrated rays stay well inside the field it spans.

    Between its points the table is read along straight lines. In the image that
    multiplies the probe by a squared sinc as wide as the field, and what light
    it takes, a share of pi^2 / 3 times the rays' mean square over the field's,
    comes back a field away.

    Raises
    ------
    StemnetError
        If no table up to the largest is enough.
    """
    angle = probe.semi_angle * 1e-3
    cutoff = angle / wavelength(probe.voltage)
    # Rays of an aberration of order n, d(chi length)/d(theta), grow with theta^n: the edge's are where the geometric
    # probe ends, and their mean square over the disk is the edge's over n + 1. Few of a focal spread lie two
    # deviations out.
    orders = {
        1: (probe.defocus, probe.defocus_spread, probe.astigmatism),
        2: (probe.coma, probe.threefold),
        3: (probe.cs, probe.star, probe.fourfold),
        5: (probe.c5,),
    }
    edge = angle * probe.defocus_spread + sum(
        angle**order * abs(size) for order, sizes in orders.items() for size in sizes
    )
    spread = math.sqrt(
        sum((angle**order * size) ** 2 / (order + 1) for order, sizes in orders.items() for size in sizes)
    )
    least = max(EDGE * edge, SOURCE * probe.source_size / FWHM)
    size = TABLE
    while size < LARGEST_TABLE and size / (4 * cutoff) < max(least, SPREAD * spread):
        size *= 2
    if least > size / (4 * cutoff):
        raise StemnetError(
            f"A probe whose light reaches {least / EDGE:.3g} A from its middle was asked for, but at "
            f"{probe.voltage:g} kV and {probe.semi_angle:g} mrad no more than {size / (4 * cutoff * EDGE):.3g} A can "
            "be drawn; give smaller aberrations, a smaller semi-angle or a smaller source."
        )
    return size


@lru_cache(maxsize=16)
def transfer(probe: Probe) -> tuple[np.ndarray, float]:
    """Optical transfer function of the probe's intensity.

    The pupil carries exp(-i chi); the probe's intensity is the squared
    magnitude of its transform, averaged over the focal spread, so the transfer
    function is the pupil's autocorrelation. It is returned with the probe's
    center moved to the origin, since a shift by coma is a shift of the scan,
    not of the columns.

    Parameters
    ----------
    probe : Probe

    Returns
    -------
    table : ndarray of complex64, shape (T + 1, T + 1)
        Values on a grid over [-limit, limit] in (ky, kx); 1 in the middle. T is
        `TABLE`, or a power of two more for wide probes.
        Not writable: the same array is given to whoever asks again.
    limit : float
        Largest spatial frequency of the table [1/A]; the function is 0 beyond.
    """
    lam = wavelength(probe.voltage)
    cutoff = probe.semi_angle * 1e-3 / lam
    size = _table_size(probe)
    # The pupil fills half of the grid, so that its autocorrelation fits.
    step = 4 * cutoff / size
    pupil = slice(size // 4 - 1, 3 * size // 4 + 2)
    k = (np.arange(size) - size // 2)[pupil] * step
    ky, kx = k[:, None], k[None, :]
    length = aberration(probe, lam * ky, lam * kx)
    # A soft edge of one grid step keeps a coarse aperture round.
    aperture = np.clip((cutoff - np.hypot(ky, kx)) / step + 0.5, 0, 1)
    intensity = np.zeros((size, size))
    for focus, weight in _foci(probe):
        chi = 2 * np.pi / lam * (length + focus / 2 * lam**2 * (ky**2 + kx**2))
        whole = np.zeros((size, size), dtype=np.complex128)
        whole[pupil, pupil] = aperture * np.exp(-1j * chi)
        wave = scipy.fft.ifft2(np.fft.ifftshift(whole))
        intensity += weight * (wave.real**2 + wave.imag**2)
    table = scipy.fft.fft2(intensity)
    # The overlap of the soft aperture with itself, unmoved, is less than its area by the edge's softness.
    table /= aperture.sum() / size**2
    table[0, 0] = 1.0
    # Squaring picks the bright core, which is what a fit to a column finds.
    core = intensity**2
    steps = np.arange(size)
    for axis, turn in ((0, steps[:, None]), (1, steps[None, :])):
        mean_phase = np.angle((core.sum(1 - axis) * np.exp(2j * np.pi * steps / size)).sum())
        signed = np.where(turn < size // 2, turn, turn - size)
        table = table * np.exp(1j * signed * mean_phase)
    table = np.pad(np.fft.fftshift(table), ((0, 1), (0, 1))).astype(np.complex64)
    table.setflags(write=False)
    return table, 2 * cutoff


def _foci(probe: Probe) -> list[tuple[float, float]]:
    """Defocus values and weights that stand for a Gaussian focal spread (Gauss-Hermite nodes)."""
    if probe.defocus_spread == 0:
        return [(probe.defocus, 1.0)]
    # The more the phase at the aperture's edge varies, the more nodes its average takes.
    edge = np.pi * (probe.semi_angle * 1e-3) ** 2 / wavelength(probe.voltage) * probe.defocus_spread
    nodes, weights = np.polynomial.hermite_e.hermegauss(9 + min(int(6 * edge), 120))
    foci = probe.defocus + probe.defocus_spread * nodes
    return list(zip(foci.tolist(), (weights / weights.sum()).tolist(), strict=True))


def marginal(table: np.ndarray, limit: float, blur: float, width: float) -> tuple[np.ndarray, np.ndarray]:
    """A column's light summed along x, as a function of the distance along y.

    The magnitude of the transfer function is used: the profile is symmetric
    about the column, as the columns' places are those of a centered core.

    Parameters
    ----------
    table, limit
        From `transfer`.
    blur : float
        Sigma of source and thermal smearing together [A].
    width : float
        From `core_width` [A].

    Returns
    -------
    distance, light : ndarray, each shape (P,)
        Even steps of a fortieth of the width from 0 to where the light falls
        below a ten-thousandth [A], and the light relative to the middle.
    """
    size = len(table) - 1
    k = np.linspace(0, limit, size // 2 + 1)
    mtf = np.abs(table[size // 2 :, size // 2]) * np.exp(-2 * (np.pi * blur * k) ** 2)
    weight = np.where(k == 0, 0.5, 1.0) * mtf
    distance = np.arange(240) * (width / 40)
    light = np.cos(2 * np.pi * distance[:, None] * k) @ weight
    light /= light[0]
    # Beyond the core a sum over a grid of frequencies ripples.
    end = int(np.argmax(light < 1e-4)) or len(light)
    return distance[:end], light[:end]


def core_width(table: np.ndarray, limit: float, source_size: float, smearing: float) -> float:
    """Sigma [A] of the Gaussian that a column's image resembles.

    Read from where the azimuthal mean of the whole transfer function (probe,
    source, thermal smearing) falls to exp(-1), so that the bright core counts
    and wide tails do not.

    Parameters
    ----------
    table, limit
        From `transfer`.
    source_size : float
        Full width at half maximum [A].
    smearing : float
        Thermal sigma [A].
    """
    size = len(table) - 1
    k = np.hypot(*np.meshgrid(*(np.linspace(-limit, limit, size + 1),) * 2, indexing="ij"))
    ring = np.round(k / limit * size / 2).astype(int)
    mean = np.bincount(ring.ravel(), np.abs(table).ravel()) / np.bincount(ring.ravel())
    k_ring = np.arange(len(mean)) * limit * 2 / size
    sigma = np.hypot(source_size / FWHM, smearing)
    mean = mean * np.exp(-2 * (np.pi * sigma * k_ring) ** 2)
    fallen = int(np.argmax(mean < np.exp(-1)))
    before, after = mean[fallen - 1], mean[fallen]
    k_fallen = k_ring[fallen - 1] + (before - np.exp(-1)) / (before - after) * (k_ring[1] - k_ring[0])
    return float(np.sqrt(2) / (2 * np.pi * k_fallen))


def passed_beyond(table: np.ndarray, limit: float, blur: float, frequency: float) -> float:
    """Share of all amplitudes that probe and blur pass beyond a frequency along either axis.

    A Gaussian's width tells where its spectrum ends; that of a probe out of
    focus does not: it goes on in rings, up to twice the aperture.

    Parameters
    ----------
    table, limit
        From `transfer`; in cycles per any length.
    blur : float
        Sigma of source and thermal smearing together [that length].
    frequency : float

    Returns
    -------
    float
        0 to 1.
    """
    if frequency >= limit:
        return 0.0
    size = len(table) - 1
    k = np.linspace(-limit, limit, size + 1)
    fall = np.exp(-2 * (np.pi * blur * k) ** 2)
    amplitude = np.abs(table) * fall[:, None] * fall
    within = slice(*np.searchsorted(k, (-frequency, frequency), side="right"))
    return 1 - float(amplitude[within, within].sum() / amplitude.sum())
