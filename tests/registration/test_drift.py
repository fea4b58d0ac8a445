"""The drift is found to a few hundredths of a pixel, also over a lattice, through noise, blanks and gaps."""

import tracemalloc

import filmed
import numpy as np
import pytest

from stemnet.errors import StemnetError
from stemnet.registration.rigid import find_drift


def test_a_drift_over_several_periods_of_the_lattice_is_followed():
    drift = filmed.smooth_walk(20)
    found = find_drift(filmed.frames(drift))
    error = filmed.off(found.positions, drift)
    print("error", error, "said", np.median(found.errors))
    assert np.ptp(drift, axis=0).max() > 2 * 11
    assert found.seen.all()
    assert error < 0.04
    assert 0.5 < error / np.median(found.errors) < 2


@pytest.mark.parametrize("counts", [0.5, 3.0])
def test_errors_are_what_they_are_said_to_be(counts):
    drift = filmed.smooth_walk(24, 0.5, seed=1)
    found = find_drift(filmed.frames(drift, counts=counts, seed=2))
    pull = (found.positions - drift - (found.positions - drift).mean(0)) / found.errors
    print(counts, "error", filmed.off(found.positions, drift), "pull", np.sqrt((pull**2).mean()))
    assert 0.6 < np.sqrt((pull**2).mean()) < 1.7


def test_errors_do_not_add_up_over_many_frames():
    drift = filmed.smooth_walk(80, 0.2, seed=3)
    found = find_drift(filmed.frames(drift, side=64, counts=3.0))
    late = found.positions[-10:] - drift[-10:] - (found.positions - drift)[:10].mean(0)
    print("of the last frames against the first", np.abs(late).max())
    assert np.abs(late).max() < 0.3


def test_blank_frames_are_left_out_and_do_not_disturb_the_others():
    drift = filmed.smooth_walk(12, seed=4)
    stack = filmed.frames(drift)
    stack[5] = np.random.default_rng(0).poisson(3, stack[5].shape)
    stack[8] = 0
    found = find_drift(stack)
    assert np.flatnonzero(~found.seen).tolist() == [5, 8]
    assert np.isnan(found.errors[[5, 8]]).all()
    assert filmed.off(found.positions[found.seen], drift[found.seen]) < 0.05


def test_pixels_that_are_not_measured_do_not_disturb():
    drift = filmed.smooth_walk(10, seed=5)
    stack = filmed.frames(drift)
    stack[:, 70:, 60:] = np.nan  # a scale bar, which stays where it is
    assert filmed.off(find_drift(stack).positions, drift) < 0.06


def test_brightness_and_background_may_change():
    drift = filmed.smooth_walk(10, seed=6)
    stack = filmed.frames(drift, counts=20) * np.linspace(1, 0.4, 10)[:, None, None].astype(np.float32)
    stack += np.linspace(0, 50, 10)[:, None, None].astype(np.float32)
    assert filmed.off(find_drift(stack).positions, drift) < 0.05


def test_a_jump_is_followed_where_the_image_tells_it():
    rng = np.random.default_rng(7)
    atoms = rng.uniform(-30, 126, (120, 2)), np.ones(120)
    drift = filmed.smooth_walk(10, 0.3, seed=7)
    drift[5:] += [9.0, -14.0]
    assert filmed.off(find_drift(filmed.frames(drift, lattice=atoms)).positions, drift) < 0.05


def test_noise_alone_is_not_registered():
    with pytest.raises(StemnetError, match="above their noise"):
        find_drift(np.random.default_rng(0).normal(size=(8, 64, 64)))
    with pytest.raises(StemnetError, match="two or more"):
        find_drift(np.zeros((1, 64, 64)))


def test_a_long_movie_needs_the_memory_of_a_few_frames():
    class Film:
        """Frames that are made when they are read."""

        yx = filmed.places(64)

        def __len__(self):
            return 60

        def __getitem__(self, number):
            return filmed.frames([[0.1 * number, 0]], lattice=self.yx, side=64, seed=number)[0]

    tracemalloc.start()
    find_drift(Film(), passes=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print("peak", peak / (64 * 64 * 4), "frames")
    assert peak < 80 * 64 * 64 * 4


def test_progress_is_told():
    told = []
    find_drift(filmed.frames(np.zeros((3, 2))), progress=lambda *step: told.append(step))
    assert told[0] == ("registration", 1, 3)
    assert {steps for _, _, steps in told} == {3}
