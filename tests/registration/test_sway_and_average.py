"""Rows that sway are found where they do, and a mean of registered frames gains what it should."""

from dataclasses import replace

import filmed
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from stemnet.columns import Columns
from stemnet.registration import average_frames, register
from stemnet.registration.canvas import Canvas, placed
from stemnet.registration.splines import coefficients, looked_up, shifted, with_slopes

FRAMES, SIDE = 20, 96


def sway(rms, seed=0):
    """Slow waves (T, H, 2) [px], other ones in every frame, 0 on average."""
    rng = np.random.default_rng(seed)
    time = np.linspace(-0.5, 0.5, SIDE)[None, :, None]
    waves = sum(
        np.sin(2 * np.pi * cycles * time + rng.uniform(0, 2 * np.pi, (FRAMES, 1, 2))) for cycles in (0.7, 1.3)
    )
    waves = waves * rms
    return waves - waves.mean(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def swaying():
    drift, rows = filmed.smooth_walk(FRAMES, 0.7), sway(0.6)
    stack = filmed.frames(drift, rows)
    return drift, rows, stack, register(stack)


def test_rows_that_sway_are_found(swaying):
    drift, rows, _, found = swaying
    off = found.rows - rows
    off = off - off.mean(axis=0)  # what all frames have in common is the specimen's
    before = rows - rows.mean(axis=0)
    print(
        "sway",
        before.std(),
        "left",
        off.std(),
        "walk",
        found.walk,
        "drift",
        filmed.off(found.positions, drift),
    )
    assert min(found.walk) > 0
    assert off.std() < 0.2 * before.std()
    assert filmed.off(found.positions, drift) < 0.05


def test_columns_are_put_where_they_would_be_without(swaying):
    drift, rows, _, found = swaying
    yx = np.random.default_rng(1).uniform(20, 76, (200, 2))
    frame = np.repeat(np.arange(FRAMES), 10)
    seen = np.array(
        [
            place
            + drift[k]
            + [np.interp(place[0] + drift[k, 0], np.arange(SIDE), rows[k, :, a]) for a in (0, 1)]
            for place, k in zip(yx, frame, strict=True)
        ]
    )
    inside = ((seen > 5) & (seen < SIDE - 6)).all(axis=1)
    columns = Columns(seen, (SIDE, SIDE), fields={"frame": frame})
    off = (found.corrected(columns) - yx)[inside]
    rigid = (replace(found, rows=None).corrected(columns) - yx)[inside]
    print("off", off.std(axis=0), "shifted as wholes", rigid.std(axis=0))
    assert off.std(axis=0).max() < 0.2 < 0.4 < rigid.std(axis=0).min()


def test_frames_that_do_not_sway_are_left_alone():
    found = register(filmed.frames(filmed.smooth_walk(12), counts=5))
    assert found.rows is None
    assert found.walk == (0.0, 0.0)


def test_the_mean_gains_the_root_of_the_number_of_frames(swaying):
    _, _, stack, found = swaying
    whole, rigid = average_frames(stack, found), average_frames(stack, replace(found, rows=None))
    still = replace(found, positions=np.zeros((FRAMES, 2)), rows=None)
    plain = average_frames(stack, still)
    print([mean.gain / np.sqrt(FRAMES) for mean in (whole, rigid, plain)], whole.snr, rigid.snr)
    assert whole.gain == pytest.approx(np.sqrt(FRAMES), rel=0.08)
    assert plain.gain < 0.6 * np.sqrt(FRAMES)
    assert whole.snr > 1.05 * rigid.snr > plain.snr


def test_the_mean_is_the_specimen_on_a_larger_field_and_nan_beyond():
    drift = np.stack([np.linspace(0, 12.5, 9), np.linspace(0, -20.25, 9)], 1)
    mean = average_frames(filmed.frames(drift), register(filmed.frames(drift), rows=False))
    assert mean.image.shape[0] >= SIDE + 11
    assert mean.image.shape[1] >= SIDE + 19
    assert np.isnan(mean.image[mean.count == 0]).all()
    assert mean.count.max() == 9
    assert np.isnan(mean.image).any()
    y, x = np.indices(mean.image.shape)
    noiseless = filmed.frames(
        -np.atleast_2d(mean.origin).astype(float),
        counts=12,
        side=max(mean.image.shape),
        lattice=filmed.places(SIDE),
    )
    inner = mean.count >= 5
    expected = noiseless[0][: mean.image.shape[0], : mean.image.shape[1]]
    assert np.corrcoef(mean.image[inner], expected[inner])[0, 1] > 0.6
    assert y.shape == x.shape


def test_where_an_atom_comes_and_goes_is_told():
    stack = filmed.frames(np.zeros((16, 2)))
    y, x = np.indices((SIDE, SIDE))
    atom = 20 * np.exp(-0.5 * ((y - 40.0) ** 2 + (x - 52.0) ** 2) / 2.2**2)
    stack[::2] += np.random.default_rng(0).poisson(atom, stack[::2].shape)
    mean = average_frames(stack, register(stack, rows=False))
    most = np.array(np.unravel_index(np.nanargmax(mean.change), mean.change.shape)) + mean.origin
    print("most change at", most, np.nanmax(mean.change), "median", np.nanmedian(mean.change))
    assert np.abs(most - [40, 52]).max() <= 3
    assert np.nanmax(mean.change) > 3 * np.nanpercentile(mean.change, 95)


def test_splines_agree_with_scipy_and_slopes_with_differences():
    image = np.random.default_rng(0).normal(size=(40, 50)).astype(np.float32)
    padded, at = coefficients(image), np.array([0.3, 0.8])
    y, x = np.indices(image.shape).astype(float)
    expected = map_coordinates(image, [y + at[0], x + at[1]], order=3, mode="mirror")
    value, slope_y, slope_x = with_slopes(padded, at)
    inner = np.s_[:-2, :-2]
    assert np.abs(value - expected)[inner].max() < 1e-5
    assert np.abs(looked_up(padded, y + at[0], x + at[1]) - expected)[inner].max() < 1e-5
    for slope, step in ((slope_y, [1e-2, 0]), (slope_x, [0, 1e-2])):
        change = shifted(padded, at + step) - shifted(padded, at - step)
        assert np.abs(change / 2e-2 - slope).max() < 1e-2


def test_a_canvas_gives_back_what_was_laid_on_it_and_what_is_taken_off_is_gone():
    image = np.random.default_rng(0).normal(5, 1, (20, 30)).astype(np.float32)
    canvas = Canvas()
    for position in ([0.0, 0.0], [70.0, -80.0]):
        canvas.add(*placed(image, np.array(position)))
    mean, count = canvas.part(np.array([-70, 80]), image.shape)
    assert np.abs(mean - image).max() < 1e-4
    assert (count == 1).all()
    canvas.add(*placed(image, np.array([70.0, -80.0])), -1.0)
    mean, count = canvas.part(np.array([-70, 80]), image.shape)
    assert np.isnan(mean).all()
    assert not count.any()
