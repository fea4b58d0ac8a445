"""The width of a column from the image alone."""

import numpy as np
import pytest

from stemnet.detection.scale import WidthEstimate, estimate_widths


def lattice(kind: str, spacing: float, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions [px] and relative brightness of columns with a nearest distance."""
    count = int(2 * side / spacing) + 3
    i, j = (steps.ravel().astype(float) for steps in np.mgrid[-count:count, -count:count])
    if kind == "square":
        yx, bright = np.stack([i, j], 1), np.ones(len(i))
    elif kind == "perovskite":
        yx = np.stack([i, j], 1) * np.sqrt(2)
        yx, bright = np.concatenate([yx, yx + np.sqrt(0.5)]), np.repeat([1, 0.5], len(yx))
    else:
        yx = np.stack([i + 0.5 * j, j * np.sqrt(0.75)], 1) * np.sqrt(3)
        yx, bright = np.concatenate([yx, yx + np.array([np.sqrt(0.75), 0.5])]), np.repeat([1, 0.6], len(yx))
    turn = np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]])
    yx = yx * spacing @ turn + side / 2
    near = np.all((yx > -3 * spacing) & (yx < side + 3 * spacing), 1)
    return yx[near], bright[near]


def image(kind: str, sigma: float, apart: float, electrons: float, seed: int = 0) -> np.ndarray:
    """Counts of Gaussian columns `apart` sigmas apart, some twelve of them a side."""
    side = int(np.clip(12 * apart * sigma, 128, 512))
    yx, bright = lattice(kind, apart * sigma, side)
    pixels = np.arange(side)[:, None]
    rows, columns = (np.exp(-0.5 * ((pixels - axis) / sigma) ** 2) for axis in yx.T)
    peak = electrons / (2 * np.pi * sigma**2)
    return np.random.default_rng(seed).poisson(peak * (0.1 + (rows * bright) @ columns.T)).astype(float)


def nearest(estimates: list[WidthEstimate], sigma: float) -> float:
    """The estimate nearest the truth, as a share of it."""
    return min((estimate.width / sigma for estimate in estimates), key=lambda share: abs(np.log(share)))


@pytest.mark.parametrize("kind", ["square", "perovskite", "honeycomb"])
@pytest.mark.parametrize("sigma", [1.3, 2.5, 5.0, 12.0])
@pytest.mark.parametrize("electrons", [2000, 50000])
def test_columns_that_stand_apart(kind: str, sigma: float, electrons: float):
    estimates = estimate_widths(image(kind, sigma, 6.5, electrons))
    assert nearest(estimates, sigma) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("kind", ["square", "perovskite", "honeycomb"])
@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_crowded_columns_look_narrower_by_less_than_half_and_never_wider(kind: str, sigma: float):
    """The joint fit, which knows the neighbors, corrects this."""
    for apart in (4.0, 5.0):
        assert 0.5 < nearest(estimate_widths(image(kind, sigma, apart, 3000)), sigma) < 1.1


def test_the_spacing_is_not_taken_for_the_width():
    for kind in ("square", "perovskite", "honeycomb"):
        widths = [estimate.width for estimate in estimate_widths(image(kind, 3.0, 7.0, 3000))]
        assert max(widths) < 1.25 * 3.0


def test_magnifying_an_image_magnifies_the_width():
    once = image("perovskite", 2.5, 6.0, 1e6)
    twice = np.kron(once, np.ones((2, 2)))
    assert estimate_widths(twice)[0].width == pytest.approx(2 * estimate_widths(once)[0].width, rel=0.06)


@pytest.mark.parametrize(("gain", "offset"), [(1e-3, 0.0), (50.0, 1e4)])
def test_gain_and_offset_do_not_matter(gain: float, offset: float):
    plain = image("honeycomb", 2.5, 6.0, 3000)
    for one, other in zip(estimate_widths(plain), estimate_widths(gain * plain + offset), strict=True):
        assert one.width == pytest.approx(other.width, rel=0.02)


def test_a_slope_and_hot_pixels_do_not_matter():
    plain = image("perovskite", 2.5, 6.0, 3000)
    spoilt = plain + np.linspace(0, 5 * plain.max(), len(plain))[:, None]
    spoilt[[20, 70, 90], [30, 50, 11]] = 1e6
    assert nearest(estimate_widths(spoilt), estimate_widths(plain)[0].width) == pytest.approx(1.0, abs=0.15)


def test_a_hole_does_not_matter():
    plain = image("perovskite", 2.5, 6.0, 3000)
    holed = plain.copy()
    holed[40:80, 50:90] = np.nan
    assert estimate_widths(holed)[0].width == pytest.approx(estimate_widths(plain)[0].width, rel=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_white_noise_has_no_width_but_a_pixel_s(seed: int):
    rng = np.random.default_rng(seed)
    for noise in (rng.normal(0, 1, (200, 220)), rng.poisson(2.0, (128, 128)).astype(float)):
        for estimate in estimate_widths(noise):
            assert estimate.width < 1.0
            assert estimate.strength < 0.06


@pytest.mark.parametrize(
    "empty", [np.zeros((64, 64)), np.full((300, 300), 5.0), np.full((64, 64), np.nan), np.ones((16, 16))]
)
def test_nothing_has_no_width(empty: np.ndarray):
    assert estimate_widths(empty) == []
