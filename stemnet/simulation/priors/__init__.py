"""What may turn up: random specimens, what is wrong with them, and random microscopes, for training."""

from stemnet.simulation.priors.draws import log_uniform
from stemnet.simulation.priors.microscopes import MicroscopePrior, dosed
from stemnet.simulation.priors.mixture import Mixture, only
from stemnet.simulation.priors.specimens import SpecimenPrior

__all__ = ["MicroscopePrior", "Mixture", "SpecimenPrior", "dosed", "log_uniform", "only"]
