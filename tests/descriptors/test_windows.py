import numpy as np
import pytest

from stemnet.descriptors.spectra_stream import window_spectra
from stemnet.descriptors.windows import Windows, windows_for
from stemnet.errors import StemnetError


def test_half_of_the_plane_holds_every_frequency_once():
    cycles = np.rint(Windows(16, 4).frequencies * 16).astype(int)
    both = np.concatenate([cycles, -cycles])
    assert len(np.unique(both, axis=0)) == len(both) == 15 * 15 - 1
    assert Windows(64, 8, highest=0.25).names[0] == "k+0+1_1"
    assert np.abs(Windows(64, 8, highest=0.25).frequencies).max() == 0.25


def test_the_grid_is_centered_and_inside():
    windows = Windows(20, 7)
    yx = windows.centers((53, 60))
    assert yx.min(axis=0) == pytest.approx([11.5, 11.5])
    assert (yx.max(axis=0) + 9.5 <= [52, 59]).all()


def test_windows_for_a_lattice_hold_four_cells_and_three_orders():
    windows = windows_for(12.3)
    assert windows.size == 48
    assert windows.step == 6
    assert 3 / 12.3 < windows.highest < 4 / 12.3
    assert windows_for(3.0).highest == 0.5
    other = windows_for(12.3, cells=6, apodization="none", log=True)
    assert (other.size, other.apodization, other.log, other.highest) == (72, "none", True, windows.highest)


def test_the_plane_holds_every_number_twice_around_zero():
    windows = Windows(16, 4)
    values = np.arange(len(windows.frequencies), dtype=float)
    plane = windows.plane(values)
    assert plane.shape == (15, 15)
    assert np.argwhere(np.isnan(plane)).tolist() == [[7, 7]]
    np.testing.assert_array_equal(plane, plane[::-1, ::-1])
    for number in (0, 20, len(values) - 1):
        y, x = np.rint(windows.frequencies[number] * 16).astype(int)
        assert plane[7 + y, 7 + x] == number


def test_planes_of_many_windows_turn_with_the_image():
    windows = Windows(16, 8)
    image = np.random.default_rng(0).normal(size=(32, 48))
    rows, turned = (window_spectra(one, windows).values for one in (image, np.rot90(image)))
    planes = windows.plane(rows).reshape(3, 5, 15, 15)
    wanted = np.rot90(np.rot90(planes), axes=(2, 3))  # the windows' places, and what each shows
    np.testing.assert_allclose(windows.plane(turned).reshape(5, 3, 15, 15), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Windows(2, 1), "size=2"),
        (lambda: Windows(32, 0), "step=0"),
        (lambda: Windows(32.0, 8), "size=32.0"),
        (lambda: Windows(32, 8, "hamming"), "hamming"),
        (lambda: Windows(32, 8, highest=0.01), "one cycle"),
        (lambda: Windows(32, 8, highest=0.7), "0.5"),
        (lambda: Windows(32, 8, missing=1.0), "missing=1.0"),
        (lambda: windows_for(1.0), "above 2 px"),
        (lambda: windows_for(12.0, cells=0), "0 periods"),
        (lambda: Windows(16, 4).plane(np.zeros(7)), "112 frequencies"),
    ],
)
def test_windows_that_cannot_be_get_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()
