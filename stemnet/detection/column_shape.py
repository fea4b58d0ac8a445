"""How far columns are from round.

A column of covariance ``sigma^2 exp(E)``, E = [[-e1, e2], [e2, e1]] in (y, x),
is as large as a round one and longer along one direction. The round fit is
the start; one joint Newton step on all six parameters of all columns gives e1
and e2, their neighbors' light and shapes being unknown together with them.
The step is exact to first order, and for one column under even weights it
leads to ``2 tanh(e / 2)``, which is undone in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stemnet.detection.covariance import marginal_covariance
from stemnet.detection.normal_equations import NormalEquations

_LONGEST = 0.9  # steps are cut there, which is a column three times as long as it is wide


@dataclass(frozen=True)
class Ellipticities:
    """Shape of columns that are not quite round; float64.

    Parameters
    ----------
    components : Tensor, shape (N, 2)
        e1, positive where the column is longer along x, and e2, where it is
        longer along the diagonal from +x to +y. Unbiased; 0 for a round column.
    sigma : Tensor, shape (N,)
        Standard error of either.
    """

    components: torch.Tensor
    sigma: torch.Tensor

    @property
    def magnitude(self) -> torch.Tensor:
        """Major over minor axis, minus 1, (N,).

        A length is longer with noise on it: what noise adds to its square is
        taken off, so that round columns do not seem elliptical (after J. F. C.
        Wardle and P. P. Kronberg, Astrophysical Journal 194, 249 (1974)).
        """
        square = self.components.square().sum(1) - 2 * self.sigma**2
        return torch.expm1(square.clamp(min=0).sqrt())

    @property
    def angle(self) -> torch.Tensor:
        """Direction of the major axis, from +x towards +y, -pi/2 to pi/2 [rad], (N,)."""
        return torch.atan2(self.components[:, 1], self.components[:, 0]) / 2


def stretches(
    equations: NormalEquations, own: torch.Tensor, force: torch.Tensor, below: torch.Tensor
) -> torch.Tensor:
    """One Newton step from the round fit to the shapes, (N, 2).

    Parameters
    ----------
    equations : NormalEquations
        Of six parameters per column, measured at the round fit.
    own : Tensor, shape (N, 6, 6)
        Its own blocks, regularized.
    force : Tensor, shape (N, 6)
        Gradient by the columns' parameters; 0 where they are not free.
    below : Tensor, shape of the background's coefficients
        Gradient by the background.
    """
    return equations.solve(own, force, below)[0][:, 4:]


def ellipticities(
    step: torch.Tensor, equations: NormalEquations, own: torch.Tensor, inflation: float
) -> Ellipticities:
    """Shapes to which the step (N, 2) leads, with errors; `inflation` is a factor of the variances."""
    length = step.norm(dim=1, keepdim=True)
    curved = 2 * torch.atanh((length / 2).clamp(max=_LONGEST))
    covariance = marginal_covariance(own, equations.i, equations.j, equations.pair)
    variance = torch.diagonal(covariance, dim1=1, dim2=2)[:, 4:].mean(1).clamp(min=0)
    return Ellipticities(step / length.clamp(min=1e-12) * curved, (variance * inflation).sqrt())
