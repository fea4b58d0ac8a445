"""The electron probe: aberrations to transfer function."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stemnet.errors import StemnetError

TABLE = 64
FWHM = 2 * np.sqrt(2 * np.log(2))


def wavelength(voltage: float) -> float:
    """Relativistic electron wavelength [A] at an acceleration voltage [kV]."""
    energy = voltage * 1e3
    return 12.2643 / np.sqrt(energy * (1 + 0.978476e-6 * energy))


@dataclass(frozen=True)
class Probe:
    """A convergent probe.

    Parameters
    ----------
    voltage : float
        [kV]
    semi_angle : float
        Convergence semi-angle [mrad].
    defocus : float
        [A]
    astigmatism, astigmatism_angle : float
        Two-fold astigmatism A1 [A] and its direction [rad].
    coma, coma_angle : float
        Axial coma B2 [A] and its direction [rad].
    cs : float
        Spherical aberration [A] (1 mm is 1e7).
    source_size : float
        Full width at half maximum of the effective source [A].
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
    cs: float = 0.0
    source_size: float = 0.7
    tails: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.semi_angle < 200 and 10 <= self.voltage <= 2000 and self.source_size >= 0):
            raise StemnetError(
                f"A probe of {self.voltage} kV, {self.semi_angle} mrad and {self.source_size} A source was "
                "asked for; give 10 to 2000 kV, a semi-angle between 0 and 200 mrad and a source size of 0 "
                "or more."
            )


@lru_cache(maxsize=16)
def transfer(probe: Probe) -> tuple[np.ndarray, float]:
    """Optical transfer function of the probe's intensity.

    The pupil carries exp(-i chi) with the aberration function chi of Krivanek
    et al., Ultramicroscopy 78, 1 (1999); the probe intensity is the squared
    magnitude of its transform, so the transfer function is the pupil's
    autocorrelation. It is returned with the probe's centre moved to the
    origin, since a shift by coma is a shift of the scan, not of the columns.

    Parameters
    ----------
    probe : Probe

    Returns
    -------
    table : ndarray of complex64, shape (65, 65)
        Values on a grid over [-limit, limit] in (ky, kx); 1 in the middle.
        Not writable: the same array is given to whoever asks again.
    limit : float
        Largest spatial frequency of the table [1/A]; the function is 0 beyond.
    """
    lam = wavelength(probe.voltage)
    cutoff = probe.semi_angle * 1e-3 / lam
    # The pupil fills half of the grid, so that its autocorrelation fits.
    k = (np.arange(TABLE) - TABLE // 2) * (4 * cutoff / TABLE)
    ky, kx = k[:, None], k[None, :]
    theta_y, theta_x = lam * ky, lam * kx
    theta2 = theta_y**2 + theta_x**2
    phi = np.arctan2(theta_y, theta_x)
    chi = (2 * np.pi / lam) * (
        0.5 * theta2 * (probe.defocus + probe.astigmatism * np.cos(2 * (phi - probe.astigmatism_angle)))
        + theta2**1.5 / 3 * probe.coma * np.cos(phi - probe.coma_angle)
        + 0.25 * theta2**2 * probe.cs
    )
    # A soft edge of one grid step keeps a coarse aperture round.
    step = 4 * cutoff / TABLE
    aperture = np.clip((cutoff - np.hypot(ky, kx)) / step + 0.5, 0, 1)
    intensity = np.abs(np.fft.ifft2(np.fft.ifftshift(aperture * np.exp(-1j * chi)))) ** 2
    table = np.fft.fft2(intensity)
    table /= table[0, 0]
    # Squaring picks the bright core, which is what a fit to a column finds.
    core = intensity**2
    steps = np.arange(TABLE)
    for axis, turn in ((0, steps[:, None]), (1, steps[None, :])):
        mean_phase = np.angle((core.sum(1 - axis) * np.exp(2j * np.pi * steps / TABLE)).sum())
        signed = np.where(turn < TABLE // 2, turn, turn - TABLE)
        table = table * np.exp(1j * signed * mean_phase)
    table = np.pad(np.fft.fftshift(table), ((0, 1), (0, 1))).astype(np.complex64)
    table.setflags(write=False)
    return table, 2 * cutoff


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
    k = np.hypot(*np.meshgrid(*(np.linspace(-limit, limit, TABLE + 1),) * 2, indexing="ij"))
    ring = np.round(k / limit * TABLE / 2).astype(int)
    mean = np.bincount(ring.ravel(), np.abs(table).ravel()) / np.bincount(ring.ravel())
    k_ring = np.arange(len(mean)) * limit * 2 / TABLE
    sigma = np.hypot(source_size / FWHM, smearing)
    mean = mean * np.exp(-2 * (np.pi * sigma * k_ring) ** 2)
    fallen = int(np.argmax(mean < np.exp(-1)))
    before, after = mean[fallen - 1], mean[fallen]
    k_fallen = k_ring[fallen - 1] + (before - np.exp(-1)) / (before - after) * (k_ring[1] - k_ring[0])
    return float(np.sqrt(2) / (2 * np.pi * k_fallen))
