import numpy as np
import pytest

from stemnet.analysis import intensity_classes
from stemnet.columns import Columns
from stemnet.simulation.examples import load_example

SIDE = 24


def square(levels, noise=0.07, gain=None, seed=0):
    """Columns on a square lattice, SIDE x SIDE, with these log intensities (callable of the generator)."""
    rng = np.random.default_rng(seed)
    yx = 20.0 * (np.stack(np.meshgrid(*[np.arange(SIDE)] * 2, indexing="ij"), -1).reshape(-1, 2) + 0.5)
    kind = rng.choice(len(levels), len(yx), p=[share for _, share in levels])
    log = np.array([level for level, _ in levels])[kind] + rng.normal(0, noise, len(yx))
    if gain is not None:
        log = log + gain(yx / yx.max())
    fields = {"intensity": np.exp(log), "sublattice": np.zeros(len(yx), int)}
    return Columns(yx, (20 * SIDE, 20 * SIDE), None, fields), kind


def wedge(place):
    return 1.2 * place[:, 1] - 0.5 * place[:, 0] ** 2


@pytest.mark.parametrize("gain", [None, wedge])
def test_one_kind_is_one_class_on_a_wedge_too(gain):
    for seed in range(3):
        columns, _ = square([(0.0, 1.0)], gain=gain, seed=seed)
        result = intensity_classes(columns)
        assert (result.label == 0).all()
        assert (result.probability == 1).all()


@pytest.mark.parametrize("gain", [None, wedge])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_two_kinds_are_told_apart_on_a_wedge_too(gain, share):
    columns, kind = square([(0.0, 1 - share), (0.6, share)], gain=gain)
    result = intensity_classes(columns)
    assert (result.label == 1 - kind).mean() > 0.99
    np.testing.assert_allclose(result.means[0], [1, np.exp(-0.6)], rtol=0.06)
    if gain is not None:
        planted = wedge(columns.yx / columns.yx.max())
        assert np.std(np.log(result.gain) - planted) < 0.05 * np.std(planted)


def test_a_distribution_without_a_gap_stays_one_class():
    columns, _ = square([(0.0, 0.5), (0.12, 0.5)], noise=0.1)
    assert (intensity_classes(columns).label == 0).all()
    rng = np.random.default_rng(0)
    skewed = columns.with_fields(intensity=rng.gamma(8.0, size=len(columns)))
    assert (intensity_classes(skewed).label == 0).all()


def test_every_sublattice_has_its_own_classes_and_a_factor_changes_none():
    columns, kind = square([(0.0, 0.8), (0.7, 0.2)])
    sublattice = np.arange(len(columns)) % 2
    homogeneous = 0.3 * np.random.default_rng(1).lognormal(0, 0.07, len(columns))
    intensity = np.where(sublattice == 1, homogeneous, columns["intensity"])
    both = columns.with_fields(sublattice=sublattice, intensity=intensity)
    result = intensity_classes(both)
    assert (result.label[sublattice == 0] == 1 - kind[sublattice == 0]).mean() > 0.99
    assert (result.label[sublattice == 1] == 0).all()
    brighter = intensity_classes(both.with_fields(intensity=intensity * 1e4))
    np.testing.assert_array_equal(brighter.label, result.label)


def test_rows_without_sublattice_or_intensity_have_no_class():
    columns, _ = square([(0.0, 1.0)])
    sublattice, intensity = columns["sublattice"].copy(), columns["intensity"].copy()
    sublattice[3], intensity[5], intensity[7] = -1, np.nan, -1.0
    result = intensity_classes(columns.with_fields(sublattice=sublattice, intensity=intensity))
    assert (result.label[[3, 5, 7]] == -1).all()
    assert np.isnan(result.probability[[3, 5, 7]]).all()
    assert (np.delete(result.label, [3, 5, 7]) == 0).all()
    nothing = Columns(
        np.zeros((0, 2)), (9, 9), None, {"sublattice": np.zeros(0, int), "intensity": np.zeros(0)}
    )
    assert len(intensity_classes(nothing).label) == 0


def test_the_same_seed_gives_the_same_classes():
    columns, _ = square([(0.0, 0.9), (0.5, 0.1)])
    first, second = intensity_classes(columns, 4), intensity_classes(columns, 4)
    np.testing.assert_array_equal(first.label, second.label)
    np.testing.assert_array_equal(first.probability, second.probability)


@pytest.mark.parametrize(
    ("example", "sublattice", "bright", "dim"),
    [("remos2_05", 0, "Re", "Mo"), ("remos2_55", 0, "Re", "Mo"), ("mos2_defects", 1, "S2", "S")],
)
def test_planted_species_are_the_classes(example, sublattice, bright, dim):
    """On the true places, with the intensity that counting statistics leave of the planted one."""
    columns = load_example(example).columns
    columns = columns.select(columns["signal_to_noise"] > 5)
    noise = np.random.default_rng(0).normal(0, 0.05, len(columns))
    columns = columns.with_fields(intensity=columns["intensity"] * np.exp(noise))
    result = intensity_classes(columns)
    mine = (columns["sublattice"] == sublattice) & np.isin(columns["species"], [bright, dim])
    assert (result.label[mine] == (columns["species"][mine] == dim)).mean() > 0.99
