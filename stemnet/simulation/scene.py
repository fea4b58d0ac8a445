"""One random example with everything drawn: a specimen under a microscope, on a pixel grid."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.filtering import Filtering
from stemnet.simulation.artefacts.inversion import Inversion
from stemnet.simulation.artefacts.kinds import Ground, Response, ScanError, Texture, View
from stemnet.simulation.artefacts.readout import read_noise_of
from stemnet.simulation.crystal import scattering
from stemnet.simulation.distortions.spread import pieces
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import FWHM, core_width, marginal, transfer
from stemnet.simulation.scan import Raster, apparent_positions, scanned
from stemnet.simulation.specimen import Specimen

FAINT = 0.1
"""Columns below this share of the brightest are not asked to be resolved."""


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
    drawn : tuple of ndarray, shapes (M, 2) and (M,)
        Points that are drawn and their electrons: the columns, and in place of
        those that spread (heat, tilt) several points each.
    width : float
        Sigma of a column's profile [px].
    profile : tuple of ndarray
        A column's light along y: distance [px] and light (`probe.marginal`).
    otf : ndarray of complex64
        Transfer function of the probe on a square table.
    otf_limit : float
        Its largest frequency [1/px].
    blur : float
        Sigma of source and thermal smearing together [px].
    tails : float
        Share of the current in Lorentzian tails.
    raster : Raster
        Where the beam was.
    knots : ndarray, shape (9, 9)
        Smooth background on a coarse grid [e-/px].
    support, support_length : float
        Texture of the support [e-/px rms] and its correlation length [px].
    responses : tuple of Response
        What happens to the expected image, in order of their stages.
    view : View
        Brightest expected value [e-/px] and width [px], for the responses.
    peak : float
        Expected electrons per pixel on top of the brightest column.
    specimen : Specimen
        Where it came from, row for row.
    seed : int
        Seeds the noise, and the support's grain with it.
    grain_seed : int, optional
        Seeds the grain alone: frames of one movie share it.
    grain_shift : tuple of float
        How far the support has moved since it was seeded (y, x) [px].
    """

    shape: tuple[int, int]
    sampling: float
    yx: np.ndarray
    apparent: np.ndarray
    electrons: np.ndarray
    drawn: tuple[np.ndarray, np.ndarray]
    width: float
    profile: tuple[np.ndarray, np.ndarray]
    otf: np.ndarray
    otf_limit: float
    blur: float
    tails: float
    raster: Raster
    knots: np.ndarray
    support: float
    support_length: float
    responses: tuple[Response, ...]
    view: View
    peak: float
    specimen: Specimen
    seed: int
    grain_seed: int | None = None
    grain_shift: tuple[float, float] = (0.0, 0.0)

    def columns(self) -> Columns:
        """The truth: columns whose centre appears inside the frame."""
        inside = self.within_frame(self.apparent)
        return self._table(self.specimen, self.apparent, inside).with_fields(
            intensity=self.electrons[inside],
            width=np.full(inside.sum(), np.hypot(self.width, self.lowpass)),
            signal_to_noise=self.signal_to_noise()[inside],
        )

    def vacancies(self) -> Columns:
        """Whole columns that are missing inside the frame, where they would appear."""
        vacant = self.specimen.vacant
        if vacant is None:
            vacant = self.specimen.select(np.zeros(len(self.specimen), dtype=bool))
        yx = self.appearing(vacant.yx)
        return self._table(vacant, yx, self.within_frame(yx))

    def _table(self, specimen: Specimen, yx: np.ndarray, rows: np.ndarray) -> Columns:
        seen = specimen.select(rows)
        return Columns(
            yx=yx[rows],
            shape=self.shape,
            sampling=self.sampling,
            fields={
                "species": seen.species,
                "sublattice": seen.sublattice,
                "cell_i": seen.index[:, 0],
                "cell_j": seen.index[:, 1],
                "site": seen.index[:, 2],
                "thickness": seen.thickness,
                "displacement_y": seen.displacement[:, 0] / self.sampling,
                "displacement_x": seen.displacement[:, 1] / self.sampling,
                **seen.planted,
            },
        )

    def within_frame(self, yx: np.ndarray) -> np.ndarray:
        """Which positions (N, 2) [px] lie on the image's pixels, (N,)."""
        return np.all((yx >= -0.5) & (yx < np.array(self.shape) - 0.5), axis=1)

    def appearing(self, yx: np.ndarray) -> np.ndarray:
        """Where points of the specimen (N, 2) [A] appear in the image [px]."""
        apparent = apparent_positions(np.asarray(yx) / self.sampling, self.raster, self.profile)
        apparent[:, 1] += _lag(self.responses)
        return apparent

    def field_maps(self, step: int = 1) -> dict[str, np.ndarray]:
        """The planted fields as the image shows them.

        Parameters
        ----------
        step : int
            Value (i, j) of a map belongs to pixel (i step, j step).

        Returns
        -------
        dict of str to ndarray, shape (ceil(H / step), ceil(W / step)), float32
        """
        rows, cols = np.arange(0, self.shape[0], step), np.arange(0, self.shape[1], step)
        row, col = (grid.ravel() for grid in np.meshgrid(rows, cols, indexing="ij"))
        place = np.stack([row, col - _lag(self.responses)], axis=1) + self.raster.at(row, col).T
        return {
            name: np.asarray(self.specimen.field_at(name, place * self.sampling), dtype=np.float32).reshape(
                len(rows), len(cols)
            )
            for name in self.specimen.fields
        }

    @property
    def lowpass(self) -> float:
        """Sigma of the filters that widen every column [px]."""
        return float(np.sqrt(sum(r.lowpass**2 for r in self.responses if isinstance(r, Filtering))))

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
        noise = self._ground() + around + 0.5 * own + read_noise_of(self.responses) ** 2 + 1e-9
        # The texture of a support is noise too as far as it varies at the width of a column.
        structured = (self.support * np.exp(-((self.support_length / self.width - 1) ** 2) / 2)) ** 2
        alone = own / np.sqrt(noise / (np.pi * self.width**2) + structured)
        return alone * np.clip(dip / 0.7, 0.02, 1.0)

    def _ground(self) -> float:
        """Expected electrons per pixel between the columns, which are counted too."""
        inverted = [response for response in self.responses if isinstance(response, Inversion)]
        return inverted[0].onward(self.view).peak if inverted else max(float(self.knots.mean()), 0.0)


def _crowding(yx: np.ndarray, peak: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors' intensity on each column, and the depth of its shallowest dip as a share of its peak."""
    total, filled = np.zeros(len(yx)), np.zeros(len(yx))
    if len(yx) > 1:
        pairs = cKDTree(yx).query_pairs(6 * width, output_type="ndarray")
        gap2 = ((yx[pairs[:, 0]] - yx[pairs[:, 1]]) ** 2).sum(1) / width**2
        for one, other in (pairs.T, pairs.T[::-1]):
            np.add.at(total, one, np.exp(-gap2 / 2) * peak[other])
            share = peak[other] / np.maximum(peak[one], 1e-12)
            # The dip lies where both throw the same light, nearer to the fainter one; beyond its centre there is none.
            gap = np.sqrt(gap2)
            away = gap / 2 - np.log(np.maximum(share, 1e-12)) / np.maximum(gap, 1e-6)
            # A faint neighbor does not hide a bright column: it is the bright one's shoulder.
            between = 2 * np.exp(-(np.clip(away, 0, None) ** 2) / 2) * np.minimum(share, 1)
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

    Raises
    ------
    StemnetError
        If pixels are too coarse to tell columns apart, or there are none.
    """
    m, s = microscope, microscope.sampling
    if not all(isinstance(side, Integral) and side > 0 for side in shape):
        raise StemnetError(f"An image of {tuple(shape)} px was asked for; give whole numbers of 1 or more.")
    _fine_enough(specimen, m)
    table, limit = transfer(m.probe)
    blur = float(np.hypot(m.probe.source_size / FWHM, m.smearing))
    width = core_width(table, limit, m.probe.source_size, m.smearing)
    distance, light = marginal(table, limit, blur, width)
    per_atom = m.dose * m.cross_section / 42.0**m.exponent
    electrons = scattering(specimen.species, m.exponent) * specimen.thickness * per_atom
    # Of vacuum alone, one atom of Mo is the measure.
    brightest = float(np.max(electrons, initial=0.0)) or m.dose * m.cross_section
    peak = brightest / (2 * np.pi * (width / s) ** 2)
    yx = specimen.yx / s
    slope, tilt = rng.normal(0, 1, (2, 2))
    if m.gradient and len(yx):
        ramp = 1 + (yx / np.array(shape) - 0.5) @ (slope * (m.gradient / max(np.hypot(*slope), 1e-9)))
        electrons = electrons * np.clip(ramp, 0.1, None)
    grid = np.linspace(-0.5, 0.5, 9)
    level = 1 + m.gradient * (grid[:, None] * tilt[0] + grid[None, :] * tilt[1])
    knots = m.background * np.clip(level, 0, None)
    for ground in m.of_kind(Ground):
        knots = knots + ground.knots(rng)
    knots = knots * peak
    raster = scanned(m.of_kind(ScanError), shape, s, rng)
    grains = np.array([texture.grain() for texture in m.of_kind(Texture)]).reshape(-1, 2)
    responses = tuple(sorted(m.of_kind(Response), key=lambda response: response.stage))
    profile = (distance / s, light)
    apparent = apparent_positions(yx, raster, profile)
    apparent[:, 1] += _lag(responses)
    rows, offsets, shares = pieces(specimen)
    return Scene(
        shape=shape,
        sampling=s,
        yx=yx,
        apparent=apparent,
        electrons=electrons,
        drawn=((specimen.yx[rows] + offsets) / s, electrons[rows] * shares),
        width=width / s,
        profile=profile,
        otf=table,
        otf_limit=limit * s,
        blur=blur / s,
        tails=m.probe.tails,
        raster=raster,
        knots=knots,
        support=float(np.sqrt((grains[:, 0] ** 2).sum())) * peak,
        support_length=float(grains[:, 1].max(initial=0.0)) / s,
        responses=responses,
        view=View(peak + float(knots.mean()), width / s),
        peak=peak,
        specimen=specimen,
        seed=int(rng.integers(2**62)),
    )


def _lag(responses: tuple[Response, ...]) -> float:
    """How far along x a slow detector moves every column [px]."""
    return sum(response.lag for response in responses if isinstance(response, Afterglow))


def _fine_enough(specimen: Specimen, microscope: Microscope) -> None:
    """Refuse pixels coarser than half the distance of neighboring columns, those too faint to be seen aside."""
    if len(specimen) < 2:
        return
    light = scattering(specimen.species, microscope.exponent) * specimen.thickness
    seen = specimen.yx[light > FAINT * light.max()]
    if len(seen) < 2:
        return
    # A hundred columns tell the spacing as well as all of them.
    some = seen[:: 1 + len(seen) // 100]
    spacing = float(np.median(cKDTree(seen).query(some, k=2)[0][:, 1]))
    if microscope.sampling > spacing / 2:
        raise StemnetError(
            f"A sampling of {microscope.sampling:g} A/px was asked for, but neighboring columns are {spacing:.3g} A "
            f"apart and would not be resolved; give {spacing / 2:.3g} A/px or less."
        )
