import numpy as np
import pytest

from stemnet.detection.column_model import render_columns
from stemnet.detection.matching import match
from stemnet.detection.precision import cramer_rao
from stemnet.detection.refinement import refine
from stemnet.errors import StemnetError


def lattice(shape, spacing, seed=0):
    """Columns of a square lattice, each up to a pixel off, inside the image."""
    axes = [np.arange(spacing / 2, n - spacing / 4, spacing) for n in shape]
    yx = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    return yx + np.random.default_rng(seed).uniform(-0.7, 0.7, yx.shape)


def micrograph(yx, shape=(160, 192), width=3.0, amplitude=60.0, background=8.0, seed=None):
    """Counts, or their expectation."""
    mean = background + render_columns(shape, yx, np.broadcast_to(amplitude, len(yx)), width)
    return mean if seed is None else np.random.default_rng(seed).poisson(mean).astype(np.float32)


def near(yx, seed=1, by=0.3):
    return yx + np.random.default_rng(seed).normal(0, by, yx.shape)


SHAPE = (160, 192)


@pytest.fixture(scope="module")
def counts():
    """One noisy micrograph, its columns, starts and fit."""
    yx = lattice(SHAPE, 17.0)
    image = micrograph(yx, seed=2)
    start = near(yx)
    return yx, image, start, refine(image, start, 3.0)


@pytest.mark.parametrize("width", [1.3, 3.0, 6.5])
@pytest.mark.parametrize("guess", [0.7, 1.4])
def test_noiseless_columns_come_back_exactly(width, guess):
    shape = tuple(int(n * width / 3) for n in SHAPE)
    yx = lattice(shape, 5.5 * width)
    amplitude = np.random.default_rng(3).uniform(20, 90, len(yx))
    fit = refine(micrograph(yx, shape, width, amplitude), near(yx, by=0.1 * width), guess * width)
    assert fit.ok.all()
    assert fit.converged
    assert np.abs(fit.yx - yx).max() < 1e-3
    np.testing.assert_allclose(fit.width, width, rtol=2e-3)
    np.testing.assert_allclose(fit.intensity, 2 * np.pi * amplitude * width**2, rtol=1e-2)
    np.testing.assert_allclose(fit.background, 8.0, atol=0.3)


def test_noiseless_dumbbells_at_less_than_three_sigma_come_back():
    width = 3.2
    first = lattice(SHAPE, 26.0)
    yx = np.concatenate([first, first + np.array([2.0, 2.85 * width])])
    yx = yx[yx[:, 1] < SHAPE[1] - 4]
    fit = refine(micrograph(yx, width=width), near(yx), width)
    assert fit.ok.all()
    assert np.abs(fit.yx - yx).max() < 1e-3


def test_a_sloping_background_does_not_pull():
    yx = lattice(SHAPE, 17.0)
    slope = np.linspace(0, 40, SHAPE[1])[None, :] + np.linspace(0, 20, SHAPE[0])[:, None] ** 1.2
    fit = refine(micrograph(yx) + slope, near(yx), 3.0)
    assert np.abs(fit.yx - yx).max() < 5e-3


def test_precision_is_the_cramer_rao_bound_and_the_errors_are_honest():
    errors, scaled, bound = [], [], []
    for seed in range(4):
        yx = lattice(SHAPE, 17.0, seed)
        fit = refine(micrograph(yx, amplitude=40.0, background=6.0, seed=seed), near(yx, seed), 3.0)
        assert fit.ok.all()
        inner = ((yx > 8) & (yx < np.array(SHAPE) - 9)).all(1)
        error = (fit.yx - yx)[inner]
        errors.append(error)
        scaled.append(error / np.stack([fit.sigma_y, fit.sigma_x], 1)[inner])
        bound.append(cramer_rao(SHAPE, yx, np.full(len(yx), 40.0), 3.0, background=6.0)[inner])
    errors, scaled, bound = (np.concatenate(x) for x in (errors, scaled, bound))
    ratio = np.sqrt(np.mean(errors**2) / np.mean(bound**2))  # standard error of the ratio: 0.03
    assert 0.9 < ratio < 1.1
    assert abs(np.mean(np.abs(scaled) < 1) - 0.683) < 0.05
    assert abs(np.mean(np.abs(scaled) < 2) - 0.954) < 0.03


def test_weights_are_those_of_counts_not_of_white_noise():
    # bright columns on a dark ground: equal weights would be a fifth less precise than the bound
    yx = lattice(SHAPE, 17.0)
    errors, bound = [], cramer_rao(SHAPE, yx, np.full(len(yx), 60.0), 3.0, background=0.5)
    for seed in range(4):
        fit = refine(micrograph(yx, background=0.5, seed=seed), near(yx, seed), 3.0)
        errors.append(fit.yx - yx)
    assert np.sqrt(np.mean(np.square(errors)) / np.mean(bound**2)) < 1.1


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (7.3, 1000.0), (1e-4, -3.0)])
def test_noise_is_learned_whatever_the_gain_and_offset(counts, gain, offset):
    _, image, start, _ = counts
    fit = refine(image.astype(np.float64) * gain + offset, start, 3.0)
    slope = fit.noise[1]
    assert slope == pytest.approx(gain, rel=0.1)
    assert fit.noise[0] + slope * (offset + 30 * gain) == pytest.approx(30 * gain**2, rel=0.1)
    assert fit.chi2 == pytest.approx(1.0, abs=0.05)


def test_gain_and_offset_change_neither_positions_nor_significance(counts):
    _, image, start, plain = counts
    fit = refine(image.astype(np.float64) * 12.0 + 5000.0, start, 3.0)
    np.testing.assert_allclose(fit.yx, plain.yx, atol=2e-3)
    np.testing.assert_allclose(fit.significance, plain.significance, rtol=1e-2)
    np.testing.assert_allclose(fit.amplitude, 12.0 * plain.amplitude, rtol=1e-2)


def test_whole_pixel_shifts_shift_the_columns(counts):
    _, image, start, plain = counts
    inner = ((start > 30) & (start < np.array(SHAPE) - 30)).all(1)
    fit = refine(image[5:, 9:], start - [5, 9], 3.0)
    sigma = np.stack([plain.sigma_y, plain.sigma_x], 1)
    assert (np.abs(fit.yx + np.array([5, 9]) - plain.yx)[inner] < 0.15 * sigma[inner]).all()


def test_transposing_swaps_the_axes(counts):
    _, image, start, plain = counts
    fit = refine(image.T, start[:, ::-1], 3.0)
    np.testing.assert_allclose(fit.yx[:, ::-1], plain.yx, atol=2e-3)
    np.testing.assert_allclose(fit.sigma_y, plain.sigma_x, rtol=1e-2)


def test_permuted_starts_permute_the_rows(counts):
    _, image, start, plain = counts
    order = np.random.default_rng(0).permutation(len(start))
    fit = refine(image, start[order], 3.0)
    np.testing.assert_allclose(fit.yx, plain.yx[order], atol=2e-3)
    np.testing.assert_allclose(fit.significance, plain.significance[order], rtol=1e-2)


def test_pixels_without_measurement_are_left_out(counts):
    _, image, start, plain = counts
    dark = 40  # a column whose whole neighborhood is not measured
    away = np.abs(start - start[dark]).max(1)
    row, col = np.rint(start[dark]).astype(int)
    holed = image.copy()
    holed[row - 14 : row + 15, col - 14 : col + 15] = np.nan
    fit = refine(holed, start, 3.0)
    assert not fit.ok[dark]
    assert fit.significance[dark] < 3
    sigma = np.stack([plain.sigma_y, plain.sigma_x], 1)
    clear = away > 30
    assert (np.abs(fit.yx - plain.yx)[clear] < 0.15 * sigma[clear]).all()
    assert np.isfinite(fit.background).all()


def test_columns_that_are_not_there_are_not_significant(counts):
    yx, image, start, _ = counts
    between = yx[::7] + 8.5
    between = between[(between < np.array(SHAPE) - 6).all(1)]
    fit = refine(image, np.concatenate([start, between]), 3.0)
    assert (fit.significance[: len(yx)] > 10).all()
    assert (fit.significance[len(yx) :] < 5).all()


def test_missing_neighbors_do_not_make_columns_run_away(counts):
    yx, image, start, _ = counts
    kept = np.random.default_rng(4).uniform(size=len(yx)) > 0.2
    fit = refine(image, start[kept], 3.0)
    plain = refine(image, start, 3.0)
    error, usual = fit.yx - yx[kept], plain.yx - yx
    assert np.sqrt(np.mean(error**2)) < 1.1 * np.sqrt(np.mean(usual**2))
    # the light that no start stood for is reported where it is
    found = match(fit.unlisted_yx, yx[~kept], 1.0)
    assert found.recall > 0.95
    assert (fit.unlisted_significance[found.pairs[:, 0]] > 6).all()
    # unless nobody asked for it
    assert len(refine(image, start[kept], 3.0, rough=True, unlisted=False).unlisted_yx) == 0


def test_image_minus_model_is_noise(counts):
    _, image, _, plain = counts
    pull = (image - plain.model) / np.sqrt(plain.noise[0] + plain.noise[1] * plain.model)
    assert abs(pull.mean()) < 0.02
    assert pull.std() == pytest.approx(1.0, abs=0.03)
    assert plain.chi2 == pytest.approx(1.0, abs=0.05)


def test_a_start_that_runs_away_is_flagged_and_kept():
    yx = np.array([[40.0, 40.0], [40.0, 80.0]])
    start = np.array([[40.2, 40.1], [40.0, 73.0]])  # the second is more than two sigma off
    fit = refine(micrograph(yx, (80, 120), seed=0), start, 3.0)
    assert fit.ok.tolist() == [True, False]
    np.testing.assert_array_equal(fit.yx[1], start[1])
    assert np.isnan(fit.sigma_y[1])


def test_columns_at_the_border_are_fitted_on_what_is_inside():
    yx = np.array([[0.5, 40.0], [40.0, 78.5], [40.0, 40.0]])
    fit = refine(micrograph(yx, (80, 80)), near(yx), 3.0)
    assert fit.ok.all()
    assert np.abs(fit.yx - yx).max() < 5e-3


def test_no_column_and_one_column():
    empty = refine(micrograph(np.zeros((0, 2)), (40, 50), seed=0), np.zeros((0, 2)), 3.0)
    assert empty.yx.shape == (0, 2)
    assert empty.background.shape == (40, 50)
    np.testing.assert_allclose(empty.background.mean(), 8.0, atol=0.3)
    one = refine(micrograph(np.array([[20.3, 24.6]]), (40, 50)), np.array([[20.0, 25.0]]), 3.0)
    np.testing.assert_allclose(one.yx, [[20.3, 24.6]], atol=1e-3)


def test_repeated_and_outlying_starts_are_flagged_and_harm_nobody(counts):
    _, image, start, plain = counts
    extra = np.array([start[5], start[5], [-300.0, 20.0]])
    fit = refine(image, np.concatenate([start, extra]), 3.0)
    assert not fit.ok[-3:].any()
    np.testing.assert_array_equal(fit.yx[-3:], extra)
    np.testing.assert_allclose(fit.yx[:-3], plain.yx, atol=2e-3)


@pytest.mark.parametrize("image", [np.zeros((40, 40)), np.full((3, 3), 7.0), np.ones((2, 2))])
def test_an_image_without_contrast_has_no_significant_column(image):
    fit = refine(image, np.array([[1.0, 1.0]]), 3.0)
    assert not fit.ok.any() or (fit.significance < 3).all()


@pytest.mark.parametrize(
    ("image", "yx", "width"),
    [
        (np.zeros((2, 8, 8)), [[1.0, 1.0]], 2.0),
        (np.full((8, 8), np.nan), [[1.0, 1.0]], 2.0),
        (np.zeros((8, 8)), [[np.nan, 1.0]], 2.0),
        (np.zeros((8, 8)), [[1.0, 1.0]], -1.0),
    ],
)
def test_bad_input_is_refused_in_words(image, yx, width):
    with pytest.raises(StemnetError):
        refine(image, np.array(yx), width)


def test_a_halo_is_learned_and_positions_lose_nothing_by_it():
    yx = lattice(SHAPE, 22.0)
    light = render_columns(SHAPE, yx, np.full(len(yx), 600.0), 3.0)
    light += 0.08 * render_columns(SHAPE, yx, np.full(len(yx), 600.0), 6.0)
    image = np.random.default_rng(0).poisson(80.0 + light)
    plain, halo = (refine(image, near(yx), 3.0, shape=shape) for shape in ("gaussian", "halo"))
    inner = ((yx > 8) & (yx < np.array(SHAPE) - 9)).all(1)

    def rms(fit):
        return np.sqrt(np.mean((fit.yx - yx)[inner] ** 2))

    assert plain.halo == 0
    assert 0.03 < halo.halo < 0.1
    assert halo.chi2 < plain.chi2
    assert rms(halo) < 1.01 * rms(plain)


def test_gaussian_columns_have_no_halo(counts):
    _, image, start, plain = counts
    fit = refine(image, start, 3.0, shape="halo")
    sigma = np.stack([plain.sigma_y, plain.sigma_x], 1)
    assert fit.halo < 0.01
    assert (np.abs(fit.yx - plain.yx) < 0.3 * sigma).all()


def test_a_fit_goes_on_from_where_another_ended(counts):
    _, image, start, plain = counts
    rough = refine(image, start[1:], 3.0, rough=True)
    rows = np.arange(1, len(rough.yx))
    fit = refine(image, rough.yx[rows], rough.common_width, beginning=rough.beginning(rows))
    assert fit.ok.all()
    assert fit.converged
    assert fit.iterations < plain.iterations
    # those that were left out are fitted all the same, and pull on none
    assert len(fit.unlisted_yx) >= 2
    assert np.abs((fit.yx - plain.yx[2:]) / plain.sigma_y[2:, None]).max() < 0.3


def test_an_unknown_shape_is_refused():
    with pytest.raises(StemnetError, match="halo"):
        refine(np.zeros((8, 8)), np.array([[1.0, 1.0]]), 2.0, shape="airy")
