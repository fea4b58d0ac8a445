"""Random microscopes and acquisition settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.filtering import Filtering
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.inversion import Inversion
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import Digits, Gain, ReadNoise, Saturation
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.contrast import z_exponent
from stemnet.simulation.crystal import scattering
from stemnet.simulation.microscope import Artefact, Microscope
from stemnet.simulation.priors.draws import Range, checked_range, log_uniform
from stemnet.simulation.probe import Probe, core_width, transfer
from stemnet.simulation.specimen import Specimen

LIGHT = (0.4, 1.4)
"""Exponents of the atomic number of signals in which light columns show: ABF, differential and integrated ones."""


@dataclass(frozen=True)
class MicroscopePrior:
    """Random microscopes and acquisition settings.

    Parameters
    ----------
    voltages : sequence of float
        [kV]
    semi_angle : tuple of float
        [mrad]
    defocus, astigmatism, coma : float
        Standard deviations [A].
    source_size : tuple of float
        Full width at half maximum [A].
    width : tuple of float
        Sigma of a column's image [px], drawn evenly in its logarithm; with the
        probe's size it decides the sampling.
    electrons : tuple of float
        Expected electrons in the brightest column, drawn evenly in the
        logarithm; decides the dose.
    background : tuple of float
        Share of the brightest peak, drawn evenly in the logarithm.
    rough : float
        How often each of the artefacts is present.
    defocus_spread : tuple of float
        Standard deviation of the focus [A], where there is any: as often as an
        artefact, since an average over the focus takes some milliseconds.
    threefold, cs, star, fourfold, c5 : float
        Standard deviations of the smaller aberrations [A].
    inner_angle : tuple of float, optional
        Inner collection angle [mrad]: the contrast's exponent is that of the
        ring from there to 2.5 to 5 times as much, or where that is less 1.5;
        without it any exponent from 1.5 to 2.
    clean : float
        How often nothing at all is rough: no artefact, no tails, no gradient.
    light : float
        How often the contrast's exponent is that of a bright-field signal, 0.4 to 1.4, at which
        light columns stand beside heavy ones.
    gain : float
        How often the image is in a detector's units, with a dark level, in whole numbers of 16 bits.
    digits : float
        How often it was scaled to whole numbers of 8 bits.
    band : float
        How often a filter also takes the smooth ground off.
    worse : tuple of float
        How many times larger the round aberrations are, as often as an artefact: probes with rings.
    inverted : float
        How often columns are dark on a bright ground, as in annular bright field.

    Raises
    ------
    StemnetError
        If a number is out of its range, or a range is none.
    """

    voltages: Sequence[float] = (60.0, 80.0, 100.0, 200.0, 300.0)
    semi_angle: Range = (18.0, 36.0)
    defocus: float = 25.0
    astigmatism: float = 15.0
    coma: float = 300.0
    source_size: Range = (0.4, 1.1)
    width: Range = (1.4, 6.5)
    electrons: Range = (40.0, 30000.0)
    background: Range = (0.02, 2.0)
    rough: float = 0.35
    defocus_spread: Range = (0.0, 0.0)
    threefold: float = 0.0
    cs: float = 0.0
    star: float = 0.0
    fourfold: float = 0.0
    c5: float = 0.0
    inner_angle: Range | None = None
    clean: float = 0.0
    light: float = 0.0
    gain: float = 0.0
    digits: float = 0.0
    band: float = 0.0
    worse: Range = (1.0, 1.0)
    inverted: float = 0.0

    def __post_init__(self) -> None:
        if not len(self.voltages):
            raise StemnetError("A prior without voltages was given; give one or more [kV].")
        for name in ("semi_angle", "source_size", "defocus_spread", "worse"):
            checked_range(name, getattr(self, name))
        for name in ("width", "electrons", "background"):
            checked_range(name, getattr(self, name), least=1e-9)
        if self.inner_angle is not None:
            checked_range("inner_angle", self.inner_angle)
        for name in ("rough", "clean", "light", "gain", "digits", "band", "inverted"):
            if not 0 <= getattr(self, name) <= 1:
                raise StemnetError(
                    f"{name}={getattr(self, name)} was given, how often something is so; give a number from 0 to 1."
                )
        for name in ("defocus", "astigmatism", "coma", "threefold", "cs", "star", "fourfold", "c5"):
            if not 0 <= getattr(self, name) < np.inf:
                raise StemnetError(
                    f"{name}={getattr(self, name)} was given, a standard deviation [A]; give 0 or more."
                )

    def draw(self, rng: np.random.Generator) -> tuple[Microscope, float, float]:
        """Draw a microscope whose dose is not set yet.

        Returns
        -------
        microscope : Microscope
        width : float
            Sigma of a column's image [A].
        electrons : float
            Wanted in the brightest column.
        """
        if self.clean and rng.random() < self.clean:
            return replace(self, rough=0.0, clean=0.0).draw(rng)
        probe = Probe(
            voltage=float(rng.choice(self.voltages)),
            semi_angle=rng.uniform(*self.semi_angle),
            defocus=rng.normal(0, self.defocus),
            astigmatism=abs(rng.normal(0, self.astigmatism)),
            astigmatism_angle=rng.uniform(0, np.pi),
            coma=abs(rng.normal(0, self.coma)),
            coma_angle=rng.uniform(0, 2 * np.pi),
            source_size=rng.uniform(*self.source_size),
            tails=rng.uniform(0, 0.4) if rng.random() < self.rough else 0.0,
        )
        probe = self._aberrated(rng, probe)
        smearing = rng.uniform(0.05, 0.12)
        width = core_width(*transfer(probe), probe.source_size, smearing)
        width_px = log_uniform(rng, self.width)
        sampling = width / width_px
        microscope = Microscope(
            probe=probe,
            sampling=sampling,
            smearing=smearing,
            exponent=self._exponent(rng, probe.voltage),
            background=log_uniform(rng, self.background),
            gradient=rng.uniform(0, 0.8) if rng.random() < self.rough else 0.0,
            artefacts=self._artefacts(rng, width, sampling),
        )
        electrons = log_uniform(rng, self.electrons)
        peak = electrons / (2 * np.pi * width_px**2)
        return self._read_out(rng, microscope, peak), width, electrons

    def _aberrated(self, rng: np.random.Generator, probe: Probe) -> Probe:
        """Draw the smaller aberrations, where they are asked for."""
        drawn = {}
        if self.defocus_spread[1] and rng.random() < self.rough:
            drawn["defocus_spread"] = rng.uniform(*self.defocus_spread)
        for name in ("cs", "c5"):
            if size := getattr(self, name):
                drawn[name] = rng.normal(0, size)
        for name in ("threefold", "star", "fourfold"):
            if size := getattr(self, name):
                drawn[name], drawn[f"{name}_angle"] = abs(rng.normal(0, size)), rng.uniform(0, 2 * np.pi)
        probe = replace(probe, **drawn) if drawn else probe
        if self.worse[1] > 1 and rng.random() < self.rough:
            times = rng.uniform(*self.worse)
            round_ones = {name: times * getattr(probe, name) for name in ("defocus", "cs", "c5")}
            probe = replace(probe, **round_ones)
        return probe

    def _exponent(self, rng: np.random.Generator, voltage: float) -> float:
        if self.light and rng.random() < self.light:
            return float(rng.uniform(*LIGHT))
        if self.inner_angle is None:
            return float(rng.uniform(1.5, 2.0))
        inner = rng.uniform(*self.inner_angle)
        return max(1.5, z_exponent(voltage, inner, inner * rng.uniform(2.5, 5)))

    def _artefacts(self, rng: np.random.Generator, width: float, sampling: float) -> tuple[Artefact, ...]:
        """Draw what goes wrong: each artefact is there or not."""
        width_px = width / sampling
        possible: list[Callable[[], Artefact]] = [
            lambda: Contamination(log_uniform(rng, (0.02, 0.6))),
            lambda: Support(log_uniform(rng, (0.02, 0.5)), log_uniform(rng, (0.3, 3.0)) * width),
            lambda: LineJitter(rng.uniform(0, 0.3) * width, rng.uniform(0, 0.9)),
            lambda: Drift(rng.normal(0, 4) * sampling, rng.normal(0, 4) * sampling),
            lambda: Wander(rng.uniform(0, 1.5) * sampling),
            lambda: Flyback(rng.normal(0, 1.5) * sampling, log_uniform(rng, (0.02, 0.2))),
            lambda: Hum(
                rng.uniform(0, 0.3) * sampling,
                rng.uniform(0, 0.8) * sampling,
                float(rng.choice([50.0, 60.0])),
                log_uniform(rng, (1.0, 40.0)),
            ),
            lambda: Flicker(log_uniform(rng, (0.003, 0.06))),
            lambda: ReadNoise(log_uniform(rng, (0.1, 5.0))),
            lambda: Afterglow(rng.uniform(0, 0.3)),
            lambda: self._filtering(rng, width_px),
        ]
        drawn = [draw() for draw in possible if rng.random() < self.rough]
        if rng.random() < self.rough / 4:
            drawn.append(Saturation(rng.uniform(0.75, 1.1)))
        return tuple(drawn)

    def _filtering(self, rng: np.random.Generator, width_px: float) -> Filtering:
        lowpass, sharpen = rng.uniform(0.2, 0.8) * width_px, rng.uniform(0, 1.5) * rng.integers(2)
        if self.band and rng.random() < self.band:
            return Filtering(lowpass, sharpen, log_uniform(rng, (2.5, 12.0)) * width_px)
        return Filtering(lowpass, sharpen)

    def _read_out(self, rng: np.random.Generator, microscope: Microscope, peak: float) -> Microscope:
        """Draw what the file holds: electrons, a detector's units, or eight bits; bright columns, or dark ones."""
        artefacts, depth = list(microscope.artefacts), 1.0
        if self.inverted and rng.random() < self.inverted:
            depth = rng.uniform(0.15, 0.9)
            artefacts.append(Inversion(depth))
        if self.gain and rng.random() < self.gain:
            # Some way below the largest number of 16 bits, contamination and noise included.
            units = 65535 * log_uniform(rng, (0.01, 0.3))
            offset = float(units * rng.uniform(0, 0.5) * rng.integers(2))
            level = peak * (1 + microscope.background) / depth
            artefacts += [Gain(float(units / level), offset), Digits(16)]
        elif self.digits and rng.random() < self.digits:
            artefacts.append(Digits(8, rng.uniform(1.0, 2.0)))
        return replace(microscope, artefacts=tuple(artefacts))


def dosed(microscope: Microscope, specimen: Specimen, electrons: float) -> Microscope:
    """Set the dose so that the brightest column holds an expected number of electrons."""
    relative = scattering(specimen.species, microscope.exponent) * specimen.thickness if len(specimen) else []
    brightest = float(np.max(relative, initial=0.0)) or 42.0**microscope.exponent
    return replace(
        microscope, dose=electrons * 42.0**microscope.exponent / (microscope.cross_section * brightest)
    )
