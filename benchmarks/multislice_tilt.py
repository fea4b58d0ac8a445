"""Where the columns of SrTiO3 appear under a tilted beam, for `multislice.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from multislice_analysis import peak_place, periodic_image
from multislice_specimens import annulus, signals, strontium_titanate

from stemnet.simulation.depth import mean_depth
from stemnet.simulation.probe import FWHM

TILTS = (0.0, 3.0, 6.0, 10.0)


def tilted(cache: Path | None, quick: bool, mu: tuple[float, float]) -> list[dict[str, object]]:
    """Where the columns of SrTiO3 appear under a beam tilted towards +x, against where they do without tilt.

    A beam that enters at x is at x + z tan(tilt) in depth z, so that what is seen
    in depth z alone would appear at -z tan(tilt). `mu` of Sr and TiO [1/A] give
    the mean depths of `stemnet.simulation.depth`.
    """
    layers = (5, 10) if quick else tuple(range(5, 81, 5))
    block = strontium_titanate(layers)
    a, sigma, x = block.cell[0], block.optics.source_size / FWHM, np.arange(-4.0, 8.0, 0.02)
    sites = {"Sr": 0.0, "TiO": a / 2}
    profiles = {}
    for tilt in TILTS[:2] if quick else TILTS:
        profiles[tilt] = np.zeros((2 if quick else 12, len(layers), 2, len(x)))
        for configuration, into in enumerate(profiles[tilt]):
            share, _ = signals(block, configuration, cache, tilt=tilt, rows=(0, block.beams[0] // 2))
            seen = annulus(share, block.optics.inner, block.optics.outer)
            # One row says nothing of y, where it is taken to be constant.
            for layer, which in np.ndindex(into.shape[:2]):
                row = seen[layer, which][None]
                into[layer, which] = periodic_image(row, (a, a), np.zeros(1), x, sigma)[0]
    n = len(profiles[0.0])
    places, heights = {}, {}
    for tilt, profile in profiles.items():
        without = (profile.sum(0) - profile) / (n - 1)
        places[tilt] = np.array(
            [[_followed(one[:, w], x, sites[s]) for w, s in enumerate(sites)] for one in without]
        )
        heights[tilt] = profile.mean(0).max(-1)
    depth = [mean_depth(each, np.array(layers) * a) for each in mu]
    rows = []
    for tilt in [each for each in profiles if each]:
        shift = places[tilt] - places[0.0]
        values = {
            "shift_Sr_A": shift[:, 0],
            "shift_TiO_A": shift[:, 1],
            "offset_A": shift[:, 1] - shift[:, 0],
        }
        by_depth = -(depth[1] - depth[0]) * np.tan(tilt * 1e-3)
        for i, layer in enumerate(layers):
            row = {"tilt_mrad": tilt, "thickness_nm": layer * a / 10, "offset_by_depth_A": by_depth[i]}
            for name, each in values.items():
                row[name] = each[:, i].mean()
                row[f"{name}_error"] = np.sqrt((n - 1) * each[:, i].var())
            row["height_Sr"], row["height_TiO"] = heights[tilt][i] / heights[0.0][i]
            rows.append(row)
    return rows


def _followed(profiles: np.ndarray, x: np.ndarray, site: float) -> np.ndarray:
    """Shift of a peak from its site, followed from thin to thick, (T,)."""
    places = [site]
    for profile in profiles:
        places.append(peak_place(profile, x, places[-1]))
    return np.array(places[1:]) - site
