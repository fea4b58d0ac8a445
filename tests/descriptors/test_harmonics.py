import numpy as np
import pytest

from stemnet.descriptors.harmonics import harmonics
from stemnet.errors import StemnetError

SIZE = 32
MIDDLE = (SIZE - 1) / 2


def pattern(angle=0.0, shift=(0.0, 0.0), log_scale=0.0):
    """Five columns within the disk of a patch, turned, then shifted."""
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    scale, image = np.exp(log_scale), np.zeros((SIZE, SIZE))
    for r, direction, height in ((0, 0, 1), (8, 0.3, 1), (8, 2.2, 0.5), (9, 4.1, 0.8), (4, 5, 0.3)):
        cy = shift[0] + scale * r * np.sin(direction + angle)
        cx = shift[1] + scale * r * np.cos(direction + angle)
        image += height * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 2 / (2.2 * scale) ** 2)
    return image


def numbers(*args, **kwargs):
    return harmonics(SIZE).numbers(pattern(*args, **kwargs)[None])[0][0]


def test_columns_are_drawn_again_to_a_percent_of_their_height():
    waves = harmonics(SIZE)
    found, rest = waves.numbers(pattern()[None])
    inside = waves.inside.reshape(SIZE, SIZE)
    well = waves.weight.reshape(SIZE, SIZE) > 0.1
    assert np.abs(waves.patches(found)[0] - pattern())[well].max() < 0.01
    assert rest[0] < 1e-4 * (pattern() ** 2).sum()
    assert (waves.patches(found)[0][~inside] == 0).all()


def test_the_basis_is_orthonormal_so_that_noise_stays_white():
    waves = harmonics(SIZE)
    gram = (waves.waves * waves.weight[:, None]).T @ waves.waves
    there = np.concatenate([waves.orders >= 0, waves.orders > 0])
    np.testing.assert_allclose(gram[np.ix_(there, there)], np.eye(there.sum()), atol=0.012)


@pytest.mark.parametrize("angle", [0.3, -2.0, np.pi / 2])
def test_a_rotation_multiplies_by_phases(angle):
    orders = harmonics(SIZE).orders
    before, after = (n[: len(orders)] + 1j * n[len(orders) :] for n in (numbers(), numbers(angle)))
    np.testing.assert_allclose(after, before * np.exp(1j * orders * angle), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "change", "size"),
    [
        ("shift_y", {"shift": (0.1, 0)}, 0.1),
        ("shift_x", {"shift": (0, 0.1)}, 0.1),
        ("growth", {"log_scale": 0.01}, 0.01),
    ],
)
def test_generators_move_rows(name, change, size):
    moved = numbers(**change) - numbers()
    told = size * numbers() @ getattr(harmonics(SIZE), name)
    assert np.linalg.norm(moved - told) < 0.06 * np.linalg.norm(moved)


def test_generators_of_a_wave_that_the_basis_holds_are_derivatives():
    """A smooth patch far from the rim: what an infinitesimal move adds is known from its own formula."""
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    bump = np.exp(-((y - 2) ** 2 + (x + 1) ** 2) / 2 / 3**2)
    waves = harmonics(SIZE)
    before = waves.numbers(bump[None])[0][0]
    slopes = {
        "shift_y": (y - 2) / 9 * bump,
        "shift_x": (x + 1) / 9 * bump,
        "growth": ((y - 2) * y + (x + 1) * x) / 9 * bump,
    }
    for name, slope in slopes.items():
        expected = waves.numbers(slope[None])[0][0]
        there = np.concatenate([waves.orders >= 0, waves.orders > 0])
        off = np.linalg.norm((before @ getattr(waves, name) - expected)[there]) / np.linalg.norm(expected)
        print(name, "off by", off)
        assert off < 0.006


@pytest.mark.parametrize(("size", "band"), [(3, 0.5), (32, 0), (32, 1.5)])
def test_what_leaves_no_basis_is_said(size, band):
    with pytest.raises(StemnetError, match="patches need 4 px"):
        harmonics(size, band)


def test_light_on_the_rim_is_held_as_well():
    y, x = np.mgrid[:SIZE, :SIZE] - MIDDLE
    bright = np.exp(-((y - 13) ** 2 + (x + 5) ** 2) / 2 / 2.2**2)
    waves = harmonics(SIZE)
    _, rest = waves.numbers(bright[None])
    assert rest[0] < 1e-3 * (bright.ravel() ** 2).sum()
