import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from streams import domains, lattice, noise

from stemnet.analysis.homogeneous_twin import homogeneous_twin, twins_of
from stemnet.errors import StemnetError


def twin_of(image, seed=0):
    return homogeneous_twin(image, 40, np.random.default_rng(seed))


def strongest(image, count):
    """Whole cycles (y, x) of the strongest waves of half the plane, in order of place."""
    weight = np.outer(*[np.hanning(n) for n in image.shape])
    power = np.abs(np.fft.rfft2((image - image.mean()) * weight)) ** 2
    found = []
    for _ in range(count):
        y, x = np.unravel_index(power.argmax(), power.shape)
        found.append(((y + len(power) // 2) % len(power) - len(power) // 2, x))
        power[(np.arange(y - 3, y + 4) % len(power))[:, None], np.arange(max(x - 3, 0), x + 4)] = 0
    return sorted(found)


def test_the_reflections_are_those_of_the_image_and_as_strong():
    image = lattice() + 0.03 * noise()
    twin = twin_of(image)
    assert strongest(twin, 4) == strongest(image, 4)
    assert twin.std() == pytest.approx(image.std(), rel=0.05)


def test_the_noise_has_the_color_of_the_image():
    image = gaussian_filter(noise(), 1)
    twin = twin_of(image)
    assert twin.std() == pytest.approx(image.std(), rel=0.05)
    one, other = (np.mean(part[1:] * part[:-1]) / part.var() for part in (image, twin))
    assert other == pytest.approx(one, abs=0.02)


def test_counted_electrons_are_noisier_where_it_is_bright():
    image = np.random.default_rng(0).poisson(3 + 20 * lattice()).astype(np.float32)
    # the lattice has no reflection beyond four tenths of a cycle per pixel
    fine = np.hypot(*np.meshgrid(*[np.fft.fftfreq(320)] * 2)) > 0.42
    ratios = []
    for one in (image, twin_of(image)):
        smooth, left = gaussian_filter(one, 1.5), np.fft.ifft2(np.where(fine, np.fft.fft2(one), 0)).real ** 2
        low, high = np.quantile(smooth, [0.1, 0.9])
        ratios.append(left[smooth > high].mean() / left[smooth < low].mean())
    assert ratios[0] > 3
    assert ratios[1] == pytest.approx(ratios[0], rel=0.15)


def test_every_place_of_a_twin_is_like_every_other():
    twin = twin_of(domains(0.1, 0.5) + 0.3 * noise())
    left, right = twin[:, :160], twin[:, 160:]
    # six waves of two lattices stand out; which of them are the four strongest is chance
    assert strongest(left, 6) == strongest(right, 6)
    assert left.std() == pytest.approx(right.std(), rel=0.05)


def test_the_generator_decides():
    image = lattice() + 0.3 * noise()
    np.testing.assert_array_equal(twin_of(image, 1), twin_of(image, 1))
    assert np.abs(twin_of(image, 1) - twin_of(image, 2)).max() > 0.1


@pytest.mark.parametrize("shape", [(320, 320), (301, 250), (250, 301)])
def test_any_offset_and_unit_goes_over_to_the_twin(shape):
    image = (lattice() + 0.3 * noise())[: shape[0], : shape[1]]
    twin, other = twin_of(image), twin_of(400 - 20 * image)
    assert twin.shape == shape
    assert twin.mean() == pytest.approx(image.mean(), abs=0.01)
    assert other.mean() == pytest.approx(400 - 20 * image.mean(), abs=0.2)
    assert other.std() == pytest.approx(20 * twin.std(), rel=0.02)


def test_counts_are_an_image_too():
    counts = np.random.default_rng(0).poisson(3 + 20 * lattice()).astype(np.uint16)
    np.testing.assert_array_equal(twin_of(counts), twin_of(counts.astype(np.float64)))


def test_unknown_pixels_take_no_light_from_the_twin():
    image = 5 + lattice() + 0.3 * noise()
    holed = image.copy()
    holed[100:160, 60:150] = np.nan
    holed[::17, ::13] = np.nan
    whole, twin = twin_of(image), twin_of(holed)
    assert np.isfinite(twin).all()
    assert twin.mean() == pytest.approx(whole.mean(), abs=0.02)
    assert twin.std() == pytest.approx(whole.std(), rel=0.06)


def test_twins_drawn_one_after_the_other_are_those_of_the_same_generator():
    image = lattice() + 0.3 * noise()
    rng, again = np.random.default_rng(3), np.random.default_rng(3)
    twins = twins_of(image, 40)
    for _ in range(2):
        np.testing.assert_array_equal(twins.draw(rng), homogeneous_twin(image, 40, again))


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (np.zeros((3, 40, 40)), r"\(3, 40, 40\)"),
        (np.zeros((6, 40)), "8 px"),
        (np.zeros((40, 40), complex), "complex128"),
        (np.full((40, 40), np.nan), "no known pixel"),
    ],
)
def test_what_has_no_twin_gets_a_sentence(image, word):
    with pytest.raises(StemnetError, match=word):
        twins_of(image, 16)
