"""How rows lie, by the names of their invariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stemnet.models.rotating_vae import Pose, RotatingVAE
from stemnet.models.turning import Turning

UNKNOWN = np.pi / np.sqrt(3)
"""Standard deviation of an angle of which nothing is known [rad]."""
FOLDS = range(2, 13)
"""Rotation symmetries that a decoded row may have."""
ALIKE = 0.9
"""Overlap of what varies around a row with itself, turned, from which it is symmetric."""


@dataclass(frozen=True)
class RowPose:
    """How rows lie, as far as it does not count for the latent.

    Parameters
    ----------
    angle, angle_sigma : ndarray, shape (N,)
        From +x towards +y, against the orientation that is decoded, and its
        posterior's standard deviation [rad].
    shift, shift_sigma : ndarray, shape (N, 2) or None
        (y, x) [px], before the rotation.
    log_scale, log_scale_sigma : ndarray, shape (N,) or None
    """

    angle: np.ndarray
    angle_sigma: np.ndarray
    shift: np.ndarray | None = None
    shift_sigma: np.ndarray | None = None
    log_scale: np.ndarray | None = None
    log_scale_sigma: np.ndarray | None = None


def named_pose(found: Pose, invariance: str) -> RowPose:
    """A pose by its names."""
    moves, sigma = found.moves.numpy(), found.move_variance.sqrt().numpy()
    shifted, grown = "translation" in invariance, "scale" in invariance
    return RowPose(
        (found.angle.numpy() + np.pi) % (2 * np.pi) - np.pi,
        np.minimum(found.angle_variance.sqrt().numpy(), UNKNOWN),
        moves[:, :2] if shifted else None,
        sigma[:, :2] if shifted else None,
        moves[:, -1] if grown else None,
        sigma[:, -1] if grown else None,
    )


def symmetry(turning: Turning, decoded: Tensor) -> int:
    """Largest n for which a decoded row, turned by an nth of a turn, is about the same; 1 where there is none.

    Its angles are known to a multiple of that part of a turn only.

    Parameters
    ----------
    turning : Turning
    decoded : Tensor, shape (1, 2 D)
    """
    around = turning.series(decoded, decoded)[0, : len(turning.known)]
    varies = turning.known > 0
    strength = around[varies].sum()
    found = [
        n for n in FOLDS if (around * (2 * np.pi / n * turning.known).cos())[varies].sum() > ALIKE * strength
    ]
    return max(found, default=1)


def fold(model: RotatingVAE, n_components: int) -> int:
    """Symmetry of what is decoded at the middle of the latent, of the class that has most of it."""
    told = torch.zeros(1, model.n_conditions, dtype=torch.float64)
    middle = torch.zeros(1, n_components, dtype=torch.float64)
    found = []
    with torch.no_grad():
        for k in range(max(model.n_classes, 1)):
            context = model.context(told, k) if model.n_classes else told
            found.append(symmetry(model.turning, model.decode(middle, context, model.offset[[k]])))
    return max(found)
