import numpy as np
import pytest

from stemnet.analysis.level_mixture import nameless_levels
from stemnet.analysis.level_names import brightness, named_levels
from stemnet.errors import StemnetError


def test_brightness_counts_atoms():
    assert brightness("SSe", 2.0) == 16**2 + 34**2
    assert brightness("S2", 1.5) == 2 * brightness("S", 1.5)
    assert brightness("vacancy") == 0


@pytest.mark.parametrize("wrong", ["Xx", "2S", "s", "S 2"])
def test_what_is_no_formula_gets_a_sentence(wrong):
    with pytest.raises(StemnetError, match="no formula"):
        brightness(wrong)


def drawn(names, exponent, scale=0.5, n=200, seed=0):
    """Intensities of as many columns of every name, with errors of 2 percent of the brightest."""
    light = scale * np.repeat([brightness(name, exponent) for name in names], n)
    sigma = np.full(len(light), 0.02 * light.max())
    return light + sigma * np.random.default_rng(seed).normal(size=len(light)), sigma


def named(parts, names):
    return named_levels(parts, {s: nameless_levels(*part) for s, part in parts.items()}, names)


@pytest.mark.parametrize("exponent", [1.55, 1.7, 1.85])
def test_planted_names_come_back_whatever_the_exponent(exponent):
    parts = {0: drawn(("Mo", "W"), exponent), 1: drawn(("S2", "Se2"), exponent, seed=1)}
    found, _, note = named(parts, {0: ("Mo", "W"), 1: ("S2", "S", "Se2", "vacancy")})
    assert note == ""
    assert found[0][0].names == ("W", "Mo")
    np.testing.assert_allclose(found[0][0].weight, [0.5, 0.5], atol=0.01)
    assert found[1][0].names == ("Se2", "S2", "S", "vacancy")
    np.testing.assert_allclose(found[1][0].weight, [0.5, 0.5, 0, 0], atol=0.01)


def test_one_level_does_not_say_which_name_it_has():
    _, _, note = named({1: drawn(("S2",), 1.7)}, {1: ("S", "S2")})
    assert "more than one way" in note


def test_what_is_not_bright_gets_a_sentence():
    dark = -np.abs(drawn(("S2",), 1.7)[0]), np.ones(200)
    with pytest.raises(StemnetError, match="No intensity above 0"):
        named({0: dark}, {0: ("Mo", "Re")})
