"""Two laws at once: one crystal, and everything else so that it is not forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.crystal import Crystal
from stemnet.simulation.priors.draws import Range
from stemnet.simulation.priors.specimens import SpecimenPrior
from stemnet.simulation.specimen import Specimen


@dataclass(frozen=True)
class Mixture:
    """Specimens of one prior or of another.

    Parameters
    ----------
    first, second : SpecimenPrior
    share : float
        How often the second is drawn from, 0 to 1.
    """

    first: SpecimenPrior
    second: SpecimenPrior
    share: float

    def draw(self, rng: np.random.Generator, field_of_view: Range, width: float) -> Specimen:
        """Draw a specimen, as `SpecimenPrior.draw` does."""
        chosen = self.second if rng.random() < self.share else self.first
        return chosen.draw(rng, field_of_view, width)


def only(prior: SpecimenPrior, crystal: Crystal, scale: Range = (0.95, 1.05)) -> SpecimenPrior:
    """One crystal with all that the prior lets be wrong with its own.

    Parameters
    ----------
    prior : SpecimenPrior
    crystal : Crystal
    scale : tuple of float
        Factor on all lengths: lattice constants and pixel sizes are known to a few percent.

    Returns
    -------
    SpecimenPrior
    """
    return replace(prior, crystals=(crystal,), shares={"crystal": 1.0}, scale=scale)
