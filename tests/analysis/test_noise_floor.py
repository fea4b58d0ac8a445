import tracemalloc

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from streams import domains, lattice, noise

from stemnet.analysis.noise_floor import (
    hard_threshold,
    marchenko_pastur_quantiles,
    permutation_floor,
    surrogate_floor,
)
from stemnet.analysis.streamed_pca import StreamedPCA
from stemnet.descriptors.spectra_stream import SpectraStream
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

WINDOWS = Windows(40, 8, highest=0.25)
HOMOGENEOUS = {
    "white noise": noise(),
    "colored noise": gaussian_filter(noise(), 1),
    "a crystal": lattice() + 0.3 * noise(),
    "a clean crystal": lattice() + 0.03 * noise(),
    "counted electrons": np.random.default_rng(0).poisson(3 + 20 * lattice()),
}


def planted(rank, n=600, d=80, seed=0, noise=2.0):
    """Eigenvalues of white noise with `rank` strong components."""
    rng = np.random.default_rng(seed)
    rows = noise * rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d))
    return np.linalg.eigvalsh(np.cov(rows.T))


@pytest.mark.parametrize("rank", [0, 1, 4, 9])
@pytest.mark.parametrize(("n", "d"), [(600, 80), (5000, 40), (120, 100)])
def test_the_hard_threshold_counts_planted_components(rank, n, d):
    counts = [hard_threshold(planted(rank, n, d, seed), n).n_signal for seed in range(5)]
    assert counts == [rank] * 5


def test_the_hard_threshold_of_a_square_table_is_that_of_the_paper():
    # Gavish and Donoho, title: 4 / sqrt(3) for known noise; 2.858 medians where it is not
    found = hard_threshold(np.ones(100), 101)
    assert np.sqrt(found.level) == pytest.approx(2.858, abs=1e-3)


def test_the_floor_is_the_spectrum_of_white_noise():
    found = hard_threshold(planted(3, 2000, 100, noise=5.0), 2000)
    np.testing.assert_allclose(found.floor[3:], found.eigenvalues[3:], rtol=0.05)
    assert found.eigenvalues[2] > found.level > found.floor[0]


@pytest.mark.parametrize("beta", [0.01, 0.3, 1.0])
def test_quantiles_of_marchenko_and_pastur(beta):
    values = marchenko_pastur_quantiles(beta, 2000)
    assert (np.diff(values) <= 0).all()
    assert values.mean() == pytest.approx(1, abs=2e-3)
    assert values.var() == pytest.approx(beta, rel=1e-2)
    assert values.max() <= (1 + np.sqrt(beta)) ** 2 + 1e-9


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_what_is_the_same_everywhere_has_no_signal(name):
    found = surrogate_floor(HOMOGENEOUS[name], WINDOWS)
    assert found.n_signal == 0
    if name != "a clean crystal":  # the surrogates are like the image, component by component
        np.testing.assert_allclose(found.floor[:40], found.eigenvalues[:40], rtol=0.25)


@pytest.mark.parametrize("size", [20, 30])
@pytest.mark.parametrize("name", ["a crystal", "a clean crystal", "counted electrons"])
def test_small_windows_take_no_beating_of_reflections_for_signal(name, size):
    windows = Windows(size, size // 8, highest=0.35, log=True)  # two and three periods
    assert surrogate_floor(HOMOGENEOUS[name], windows, surrogates=3).n_signal == 0


@pytest.mark.parametrize("angles", [(0.1, 0.5), (0.1, 0.5, 0.9)])
def test_n_lattices_are_told_apart_by_one_component_less(angles):
    for seed in range(2):
        found = surrogate_floor(domains(*angles) + 0.3 * noise(seed), WINDOWS, rng=seed)
        assert found.n_signal == len(angles) - 1
        assert found.contrast > 5


def test_the_hard_threshold_is_not_for_windows_that_overlap():
    # said in the module's first lines: this is why the floor of windows is measured
    model = StreamedPCA(1).fit(SpectraStream(lattice() + 0.3 * noise(), WINDOWS))
    assert hard_threshold(model.eigenvalues_, model.n_samples_seen_).n_signal > 10


def test_seed_and_generator_decide_and_given_eigenvalues_are_used():
    image = domains(0.1, 0.5) + 0.3 * noise()
    eigenvalues = StreamedPCA(1).fit(SpectraStream(image, WINDOWS)).eigenvalues_
    one = surrogate_floor(image, WINDOWS, surrogates=2, rng=4)
    same = surrogate_floor(image, WINDOWS, eigenvalues, surrogates=2, rng=np.random.default_rng(4))
    other = surrogate_floor(image, WINDOWS, eigenvalues, surrogates=2, rng=5)
    np.testing.assert_array_equal(one.floor, same.floor)
    np.testing.assert_array_equal(one.eigenvalues, same.eigenvalues)
    assert one.level != other.level


def test_a_quarter_turn_changes_no_count():
    image = domains(0.1, 0.5) + 0.3 * noise()
    turned = surrogate_floor(np.rot90(image), WINDOWS)
    straight = surrogate_floor(image, WINDOWS)
    np.testing.assert_allclose(turned.eigenvalues, straight.eigenvalues, rtol=1e-3)
    assert turned.n_signal == straight.n_signal


def test_unknown_pixels_add_no_component():
    image = domains(0.1, 0.5) + 0.3 * noise()
    image[100:150, 40:90] = np.nan
    assert surrogate_floor(image, WINDOWS).n_signal == 1
    image = lattice() + 0.3 * noise()
    image[100:115, 40:250] = np.nan
    image[180:250, 140:160] = np.nan
    assert surrogate_floor(image, Windows(40, 8, highest=0.25, missing=0.4)).n_signal == 0


def test_the_unit_and_the_offset_of_an_image_change_nothing():
    image = domains(0.1, 0.5) + 0.3 * noise()
    plain = surrogate_floor(image, WINDOWS, surrogates=2)
    other = surrogate_floor(700 + 50 * image, WINDOWS, surrogates=2)
    np.testing.assert_allclose(other.eigenvalues, plain.eigenvalues, rtol=1e-3)
    assert other.level == pytest.approx(plain.level, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: hard_threshold(np.ones(5), 5), "5 eigenvalues of 5 rows"),
        (lambda: hard_threshold(np.array([1.0, np.nan]), 50), "finite"),
        (lambda: hard_threshold(np.array([2.0, -1.0]), 50), "negative"),
        (lambda: surrogate_floor(noise(), WINDOWS, surrogates=1), "2 or more"),
        (lambda: surrogate_floor(np.zeros((90, 90)), WINDOWS), "one value"),
        (lambda: permutation_floor(np.zeros((90, 9)), permutations=1), "2 or more"),
        (lambda: permutation_floor(np.zeros((2, 9))), "three or more"),
        (lambda: permutation_floor(np.full((9, 9), np.nan)), "finite"),
    ],
)
def test_what_has_no_floor_gets_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()


@pytest.mark.parametrize(("n", "d"), [(600, 80), (120, 400)])
def test_permutations_count_components_of_noise_of_any_size(n, d):
    rng = np.random.default_rng(1)
    size = np.geomspace(0.5, 2, d)  # of the noise in every number
    for rank in (0, 1, 3):
        signal = 4 * rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) / np.sqrt(max(rank, 1))
        found = permutation_floor(signal + size * rng.normal(size=(n, d)), rng=0)
        assert found.n_signal == rank
        assert len(found.eigenvalues) == min(n, d)
    rows = size * rng.normal(size=(n, d))
    whole = np.linalg.eigvalsh(np.cov(rows.T))[::-1][: min(n, d)]
    np.testing.assert_allclose(permutation_floor(rows).eigenvalues, whole, atol=1e-9)


def test_the_floor_takes_little_more_memory_than_the_image():
    image = domains(0.1, 0.5, side=1024).astype(np.float32) + noise(side=1024).astype(np.float32)
    tracemalloc.start()
    surrogate_floor(image, Windows(64, 32, highest=0.25), surrogates=2)
    peak = tracemalloc.get_traced_memory()[1] / image.nbytes
    tracemalloc.stop()
    print(f"peak of memory: {peak:.1f} images")
    assert peak < 11
