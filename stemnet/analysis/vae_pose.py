"""How rows lie, by the names of their invariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.models.rotating_vae import Pose

UNKNOWN = np.pi / np.sqrt(3)
"""Standard deviation of an angle of which nothing is known [rad]."""


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
