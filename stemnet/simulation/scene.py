"""One random example with everything drawn: a specimen under a microscope, on a pixel grid."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.simulation.crystal import scattering
from stemnet.simulation.probe import FWHM, Probe, core_width, transfer
from stemnet.simulation.scan import apparent_positions, drift, line_jitter
from stemnet.simulation.specimen import Specimen

REFERENCE_CROSS_SECTION = 0.01
"""HAADF cross-section of one Mo atom at a typical collection angle [A^2]; sets electrons per dose."""


@dataclass(frozen=True)
class Microscope:
    """Everything between a specimen and its image.

    Parameters
    ----------
    probe : Probe
    sampling : float
        [A/px]
    dose : float
        Incident electrons per area [e-/A^2].
    exponent : float
        n of the Z^n contrast.
    smearing : float
        Thermal sigma of a column [A].
    background : float
        Smooth scattering between the columns, as a share of the brightest column's peak.
    gradient : float
        How far the background and the thickness vary over the frame, as a share.
    contamination : float
        Random smooth patches, as a share of the brightest column's peak.
    support : float
        Root mean square of an amorphous support's texture, as a share of the brightest peak.
    support_length : float
        Its correlation length [A].
    jitter : float
        Line jitter, rms [A].
    jitter_correlation : float
        Share of the offset that a line keeps of the last one's.
    drift : tuple of float
        Linear drift per frame, (y, x) [A].
    wander : float
        Smooth wander on top, rms [A].
    read_noise : float
        [e-] per pixel.
    afterglow : float
        Share of a pixel's signal left to the next two.
    lowpass : float
        Sigma of a Gaussian filter applied to the finished image [px]: what
        binning, resampling and denoising do.
    sharpen : float
        Strength of an unsharp mask applied after it.
    saturation : float
        Clip the image at this share of the brightest expected peak.
    """

    probe: Probe = field(default_factory=Probe)
    sampling: float = 0.1
    dose: float = 1e4
    exponent: float = 1.7
    smearing: float = 0.08
    background: float = 0.1
    gradient: float = 0.0
    contamination: float = 0.0
    support: float = 0.0
    support_length: float = 1.0
    jitter: float = 0.0
    jitter_correlation: float = 0.0
    drift: tuple[float, float] = (0.0, 0.0)
    wander: float = 0.0
    read_noise: float = 0.0
    afterglow: float = 0.0
    lowpass: float = 0.0
    sharpen: float = 0.0
    saturation: float = np.inf

    def __post_init__(self) -> None:
        if not (self.sampling > 0 and self.dose > 0):
            raise StemnetError(
                f"A sampling of {self.sampling} A/px and a dose of {self.dose} e-/A^2 were asked for; "
                "both must be positive."
            )


@dataclass(frozen=True)
class Scene:
    """A specimen on a pixel grid, ready to render.

    Lengths are in pixels and intensities in electrons from here on.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    sampling : float
        [A/px]
    yx : ndarray, shape (N, 2)
        Columns on the undistorted grid, also those outside the frame [px].
    apparent : ndarray, shape (N, 2)
        Where they appear once the scan errors have moved them [px].
    electrons : ndarray, shape (N,)
        Expected electrons of each column.
    width : float
        Sigma of a column's profile [px].
    otf : ndarray of complex64
        Transfer function of the probe on a (65, 65) table.
    otf_limit : float
        Its largest frequency [1/px].
    blur : float
        Sigma of source and thermal smearing together [px].
    tails : float
        Share of the current in Lorentzian tails.
    offsets : ndarray, shape (H, 2)
        Row offsets of the scan [px].
    knots : ndarray, shape (9, 9)
        Smooth background on a coarse grid [e-/px].
    support, support_length : float
        Texture of the support [e-/px rms] and its correlation length [px].
    read_noise, afterglow, lowpass, sharpen, saturation : float
        As in `Microscope`; saturation in electrons per pixel.
    peak : float
        Expected electrons per pixel on top of the brightest column.
    specimen : Specimen
        Where it came from, row for row.
    seed : int
        Seeds the counting noise.
    """

    shape: tuple[int, int]
    sampling: float
    yx: np.ndarray
    apparent: np.ndarray
    electrons: np.ndarray
    width: float
    otf: np.ndarray
    otf_limit: float
    blur: float
    tails: float
    offsets: np.ndarray
    knots: np.ndarray
    support: float
    support_length: float
    read_noise: float
    afterglow: float
    lowpass: float
    sharpen: float
    saturation: float
    peak: float
    specimen: Specimen
    seed: int

    def columns(self) -> Columns:
        """The truth: columns whose centre appears inside the frame."""
        low, high = -0.5, np.array(self.shape) - 0.5
        inside = np.all((self.apparent >= low) & (self.apparent < high), axis=1)
        seen = self.specimen.select(inside)
        return Columns(
            yx=self.apparent[inside],
            shape=self.shape,
            sampling=self.sampling,
            fields={
                "species": seen.species,
                "sublattice": seen.sublattice,
                "displacement_y": seen.displacement[:, 0] / self.sampling,
                "displacement_x": seen.displacement[:, 1] / self.sampling,
                "intensity": self.electrons[inside],
                "width": np.full(inside.sum(), np.hypot(self.width, self.lowpass)),
                "signal_to_noise": self.signal_to_noise()[inside],
                **seen.planted,
            },
        )

    def appearing(self, yx: np.ndarray) -> np.ndarray:
        """Where points of the specimen (N, 2) [A] appear in the image [px]: vacant sites, say."""
        return apparent_positions(np.asarray(yx) / self.sampling, self.offsets, self.width)

    def signal_to_noise(self) -> np.ndarray:
        """Matched-filter signal-to-noise of each column among its neighbors, shape (N,).

        The amplitude's standard error of an isolated Gaussian on a background
        v per pixel is sqrt(v / (pi s^2)); here v holds half of the column's
        own counts, the smooth background, and the neighbors' tails. A column
        whose neighbors fill the dip between them is harder to tell apart: the
        figure is scaled by the depth of the shallowest dip, full at 4 sigma.
        """
        own = self.electrons / (2 * np.pi * self.width**2)
        around, dip = _crowding(self.yx, own, self.width)
        noise = np.maximum(self.knots.mean(), 0) + around + 0.5 * own + self.read_noise**2 + 1e-9
        # The texture of a support is noise too as far as it varies at the width of a column.
        structured = (self.support * np.exp(-((self.support_length / self.width - 1) ** 2) / 2)) ** 2
        alone = own / np.sqrt(noise / (np.pi * self.width**2) + structured)
        return alone * np.clip(dip / 0.7, 0.02, 1.0)


def _crowding(yx: np.ndarray, peak: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors' intensity on each column, and the depth of its shallowest dip as a share of its peak."""
    total, filled = np.zeros(len(yx)), np.zeros(len(yx))
    if len(yx) > 1:
        pairs = cKDTree(yx).query_pairs(6 * width, output_type="ndarray")
        gap2 = ((yx[pairs[:, 0]] - yx[pairs[:, 1]]) ** 2).sum(1) / width**2
        for one, other in (pairs.T, pairs.T[::-1]):
            np.add.at(total, one, np.exp(-gap2 / 2) * peak[other])
            between = np.exp(-gap2 / 8) * (1 + peak[other] / np.maximum(peak[one], 1e-12))
            np.maximum.at(filled, one, between)
    return total, 1 - filled


def stage(
    specimen: Specimen, microscope: Microscope, shape: tuple[int, int], rng: np.random.Generator
) -> Scene:
    """Put a specimen under a microscope: draw all that is random but the counts.

    Parameters
    ----------
    specimen : Specimen
    microscope : Microscope
    shape : tuple of int
        Rows and columns of the image [px].
    rng : numpy.random.Generator

    Returns
    -------
    Scene
    """
    m, s = microscope, microscope.sampling
    table, limit = transfer(m.probe)
    blur = float(np.hypot(m.probe.source_size / FWHM, m.smearing)) / s
    width = core_width(table, limit, m.probe.source_size, m.smearing) / s
    per_atom = m.dose * REFERENCE_CROSS_SECTION / 42.0**m.exponent
    electrons = scattering(specimen.species, m.exponent) * specimen.thickness * per_atom
    brightest = float(np.max(electrons, initial=m.dose * REFERENCE_CROSS_SECTION))
    peak = brightest / (2 * np.pi * width**2)
    yx = specimen.yx / s
    if m.gradient and len(yx):
        slope = rng.normal(0, 1, 2)
        slope *= m.gradient / max(np.hypot(*slope), 1e-9)
        ramp = 1 + (yx / np.array(shape) - 0.5) @ slope
        electrons = electrons * np.clip(ramp, 0.1, None)
    grid = np.linspace(-0.5, 0.5, 9)
    tilt = rng.normal(0, 1, 2)
    knots = 1 + m.gradient * (grid[:, None] * tilt[0] + grid[None, :] * tilt[1])
    patches = np.abs(rng.normal(0, 1, (9, 9)))
    knots = peak * (m.background * np.clip(knots, 0, None) + m.contamination * patches)
    rows = shape[0]
    offsets = drift(rows, (m.drift[0] / s, m.drift[1] / s), m.wander / s, rng)
    offsets = offsets + line_jitter(rows, m.jitter / s, m.jitter_correlation, rng)
    return Scene(
        shape=shape,
        sampling=s,
        yx=yx,
        apparent=apparent_positions(yx, offsets, width) if len(yx) else yx,
        electrons=electrons,
        width=width,
        otf=table,
        otf_limit=limit * s,
        blur=blur,
        tails=m.probe.tails,
        offsets=offsets,
        knots=knots,
        support=m.support * peak,
        support_length=m.support_length / s,
        read_noise=m.read_noise,
        afterglow=m.afterglow,
        lowpass=m.lowpass,
        sharpen=m.sharpen,
        saturation=m.saturation * (peak + float(knots.mean())),
        peak=peak,
        specimen=specimen,
        seed=int(rng.integers(2**62)),
    )
