"""A few columns in pixels, their scene, and the Gaussian that fits one of them best."""

import numpy as np
from scipy.optimize import least_squares

from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.specimen import Specimen

ROUND = Probe(200, 25, source_size=0.9)


def specimen_of(yx, sampling=0.15, electrons=1000.0) -> Specimen:
    """Columns at yx (N, 2) [px] that scatter so many electrons at a dose of 1e4 e-/A^2."""
    yx = np.asarray(yx, dtype=float).reshape(-1, 2)
    return Specimen(
        yx=yx * sampling,
        species=np.full(len(yx), "Mo"),
        sublattice=np.arange(len(yx)) % 2,
        displacement=np.zeros_like(yx),
        thickness=np.broadcast_to(np.asarray(electrons, dtype=float) / 100, len(yx)).copy(),
    )


def scene_of(
    yx, shape=(64, 64), *, probe=ROUND, sampling=0.15, electrons=1000.0, seed=0, **microscope
) -> Scene:
    """Stage columns at yx [px] under a microscope without background, or as asked."""
    settings = {"dose": 1e4, "background": 0.0, **microscope}
    specimen = specimen_of(yx, sampling, electrons)
    return stage(specimen, Microscope(probe, sampling, **settings), shape, np.random.default_rng(seed))


def fitted(image: np.ndarray, near, width: float) -> np.ndarray:
    """Least-squares Gaussian on a constant, within three widths of `near`: (y, x, sigma)."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    mask = np.hypot(y - near[0], x - near[1]) < 3 * width
    y, x, values = y[mask], x[mask], image[mask].astype(float)

    def residual(p):
        return p[3] * np.exp(-((y - p[0]) ** 2 + (x - p[1]) ** 2) / (2 * p[2] ** 2)) + p[4] - values

    start = [*near, width, values.max() - values.min(), values.min()]
    return least_squares(residual, start, method="lm", xtol=1e-10, ftol=1e-10).x[:3]
