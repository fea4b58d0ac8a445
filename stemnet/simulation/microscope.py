"""Everything between a specimen and its image."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from numbers import Real

from stemnet.errors import StemnetError
from stemnet.simulation.artefacts.kinds import Ground, Response, ScanError, Texture
from stemnet.simulation.probe import Probe

REFERENCE_CROSS_SECTION = 0.01
"""HAADF cross-section of one Mo atom at a typical collection angle [A^2]."""

Artefact = ScanError | Ground | Texture | Response


@dataclass(frozen=True)
class Microscope:
    """A probe, a scan, a dose, and what goes wrong.

    Parameters
    ----------
    probe : Probe
    sampling : float
        [A/px]
    dose : float
        Incident electrons per area [e-/A^2].
    exponent : float
        n of the Z^n contrast; `contrast.z_exponent` gives it for a detector.
    smearing : float
        Thermal sigma of a column [A].
    background : float
        Smooth scattering between the columns, as a share of the brightest column's peak.
    gradient : float
        How far background and columns vary over the frame, as a share.
    cross_section : float
        Of one Mo atom for the detector [A^2]: what sets electrons per dose. The
        default is that of some 70 to 200 mrad at 80 kV;
        ``contrast.cross_section(42, voltage, inner, outer)`` gives another.
    artefacts : sequence of ScanError, Ground, Texture or Response
        In any order: each kind knows its place in the chain.

    Raises
    ------
    StemnetError
        If the sampling, the dose or the cross-section is not positive, another
        number is negative, or an artefact is none.
    """

    probe: Probe = field(default_factory=Probe)
    sampling: float = 0.1
    dose: float = 1e4
    exponent: float = 1.7
    smearing: float = 0.08
    background: float = 0.1
    gradient: float = 0.0
    cross_section: float = REFERENCE_CROSS_SECTION
    artefacts: tuple[Artefact, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "artefacts", tuple(self.artefacts))
        for name in ("sampling", "dose", "cross_section", "exponent", "smearing", "background", "gradient"):
            if not isinstance(getattr(self, name), Real):
                raise StemnetError(
                    f"A microscope with a {name} of {getattr(self, name)!r} was asked for; give a number."
                )
        if not (0 < self.sampling < inf and 0 < self.dose < inf):
            raise StemnetError(
                f"A sampling of {self.sampling} A/px and a dose of {self.dose} e-/A^2 were asked for; "
                "both must be positive."
            )
        if not 0 < self.cross_section < inf:
            raise StemnetError(
                f"A cross-section of {self.cross_section} A^2 was asked for; it must be positive, such as "
                "contrast.cross_section(42, voltage, inner, outer)."
            )
        for name in ("exponent", "smearing", "background", "gradient"):
            if not 0 <= getattr(self, name) < inf:
                raise StemnetError(
                    f"A microscope with a {name} of {getattr(self, name)} was asked for; give 0 or more."
                )
        for artefact in self.artefacts:
            if not isinstance(artefact, Artefact):
                raise StemnetError(
                    f"{artefact!r} was given as an artefact; give instances of the classes in "
                    "stemnet/simulation/artefacts, such as LineJitter(rms=0.05)."
                )

    def of_kind(self, kind: type) -> tuple:
        """The artefacts of one kind."""
        return tuple(artefact for artefact in self.artefacts if isinstance(artefact, kind))
