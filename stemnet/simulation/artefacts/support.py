"""An amorphous support under the columns."""

from __future__ import annotations

from dataclasses import dataclass

from stemnet.simulation.artefacts.kinds import Texture
from stemnet.simulation.artefacts.limits import POSITIVE, held


@dataclass(frozen=True)
class Support(Texture):
    """Texture of an amorphous film; its mean scattering is twice its deviation.

    Nothing scatters less than nothing: what would be below zero is cut, which
    takes 2 % from the deviation.

    Parameters
    ----------
    share : float
        Root mean square of the texture, as a share of the brightest column's peak.
    length : float
        Correlation length [A].
    """

    share: float = 0.05
    length: float = 1.0

    def __post_init__(self) -> None:
        held(self, share=POSITIVE, length=POSITIVE)

    def grain(self) -> tuple[float, float]:
        """Share and length."""
        return self.share, self.length
