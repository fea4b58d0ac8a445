"""Windows of several sizes beside each other: contrast against resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.analysis.noise_floor import SURROGATES, surrogate_floor
from stemnet.descriptors.windows import ORDERS, Windows
from stemnet.errors import StemnetError

SIZES = (16, 24, 32, 48, 64, 96)


def windows_of_sizes(
    shape: tuple[int, int], sizes: Sequence[int] = SIZES, *, spacing: float | None = None, **options
) -> list[Windows]:
    """Windows of those sizes that an image holds four of.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image [px].
    sizes : sequence of int
        Windows to try [px]; those larger than half the image are left out.
    spacing : float, optional
        Lattice spacing [px].
    **options
        Of `Windows`. By default the step is an eighth of the size, and
        frequencies are kept up to three orders of the spacing, else to 0.25.

    Returns
    -------
    list of Windows

    Raises
    ------
    StemnetError
        If no size fits the image.
    """
    fitting = [size for size in sizes if 2 * size <= min(shape)]
    if not fitting:
        raise StemnetError(
            f"Windows of {', '.join(map(str, sizes)) or 'no'} px were to be tried on an image {tuple(shape)}; "
            "one of at most half the image is needed. Pass smaller sizes or a larger image."
        )
    highest = min(0.5, ORDERS / spacing) if spacing else 0.25
    return [Windows(size, **{"step": max(1, size // 8), "highest": highest, **options}) for size in fitting]


def window_sweep(
    image: np.ndarray,
    sizes: Sequence[int] = SIZES,
    *,
    spacing: float | None = None,
    surrogates: int = SURROGATES,
    rng: np.random.Generator | int = 0,
    **options,
) -> list[dict[str, float]]:
    """What a larger window gains in contrast and loses in resolution.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    sizes : sequence of int
        Windows to try [px]; those larger than half the image are left out.
    spacing : float, optional
        Lattice spacing [px]; also states the size in cells.
    surrogates : int
    rng : numpy Generator or int
    **options
        Of `Windows`, as `windows_of_sizes` takes them.

    Returns
    -------
    list of dict
        For each size: ``size_px``; ``resolution_px``, half width of the
        pixels' weight; ``cells`` (NaN without spacing); ``step_px``;
        ``windows``; ``signal``, components above the noise; ``contrast``,
        first eigenvalue over the noise level; ``signal_share``, of the
        variance, in the components above the noise.

    Raises
    ------
    StemnetError
        If no size fits the image.
    """
    rng = np.random.default_rng(rng)
    table = []
    for windows in windows_of_sizes(np.shape(image), sizes, spacing=spacing, **options):
        floor = surrogate_floor(image, windows, surrogates=surrogates, rng=rng)
        signal = floor.eigenvalues[: floor.n_signal].sum() / floor.eigenvalues.sum()
        table.append(
            {
                "size_px": windows.size,
                "resolution_px": windows.size / 2 if windows.apodization == "hann" else float(windows.size),
                "cells": windows.size / spacing if spacing else float("nan"),
                "step_px": windows.step,
                "windows": len(windows.centers(np.shape(image))),
                "signal": floor.n_signal,
                "contrast": floor.contrast,
                "signal_share": float(signal),
            }
        )
    return table
