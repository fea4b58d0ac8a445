"""Every artefact on one and the same specimen, stronger than on a good day."""

from __future__ import annotations

from dataclasses import replace

from sheets.overlays import Dots
from sheets.sheet import SIDE, Tile
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
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.microscope import Artefact, Microscope
from stemnet.simulation.probe import Probe

PROBE = Probe(200, 25, source_size=0.8, defocus_spread=30)
CLEAN = Microscope(PROBE, sampling=0.15, dose=3e4, exponent=1.8, background=0.06)


def tiles() -> list[Tile]:
    """Without and with each, then the probe's and the dose's."""
    size = (SIDE * CLEAN.sampling,) * 2
    specimen = grow(crystal("SrTiO3"), size, orientation=0.06, origin=(0.2, 0.3), thickness=60.0)
    where = Dots()

    def tile(label: str, *artefacts: Artefact, truth: bool = False, **changed) -> Tile:
        return Tile(label, specimen, replace(CLEAN, artefacts=artefacts, **changed), where if truth else None)

    worst = (
        LineJitter(0.06, 0.3),
        Wander(0.5),
        Flyback(1.0, 0.05),
        Contamination(0.1),
        Flicker(0.04),
        Afterglow(0.1),
        ReadNoise(1.0),
        Digits(8, 1.2),
    )
    return [
        tile("off: none"),
        tile("line jitter, 0.15 A", LineJitter(0.15)),
        tile("line jitter that lasts", LineJitter(0.3, 0.9)),
        tile("drift, 6 and 8 A over the frame", Drift(6.0, 8.0), truth=True),
        tile("wander, 1.2 A", Wander(1.2), truth=True),
        tile("flyback, 4 A", Flyback(4.0, 0.12), truth=True),
        tile("hum, 0.5 A", Hum(0.2, 0.5), truth=True),
        tile("contamination, 0.5 of a peak", Contamination(0.5)),
        tile("amorphous support, 0.15 of a peak", Support(0.15, 1.5)),
        tile("flicker of lines, 15 %", Flicker(0.15)),
        tile("afterglow, 0.3", Afterglow(0.3), truth=True),
        tile("inversion", Inversion(0.4), dose=2e5),
        tile("read noise, 10 e-", ReadNoise(10.0)),
        tile("gain 20, dark level 500 (4 bits)", Gain(20.0, 500.0), Digits(4, 60.0)),
        tile("saturation, at 0.6 of the peak", Saturation(0.6)),
        tile("digits: 3 bits", Digits(3, 1.0)),
        tile("low-pass filter, 2 px", Filtering(2.0), dose=3e3),
        tile("low-pass and unsharp mask", Filtering(1.0, 3.0), dose=3e3),
        tile("a dose of 1000 e-/A2", dose=1e3),
        tile("defocus, 70 A", probe=replace(PROBE, defocus=70)),
        tile("astigmatism, 50 A", probe=replace(PROBE, astigmatism=50, astigmatism_angle=0.5)),
        tile("coma, 7000 A", probe=replace(PROBE, coma=7000, coma_angle=0.8)),
        tile("tails, 0.5 of the current", probe=replace(PROBE, tails=0.5)),
        tile("several at once", *worst, dose=8e3, background=0.2, gradient=0.4),
    ]
