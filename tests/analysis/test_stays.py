"""Stays are what particles did: where, from when to when, how they begin and end, whatever the order of the rows."""

import numpy as np
import pytest
from jumping import SPACING, jumping, two_states

from stemnet.analysis.stays import find_stays
from stemnet.analysis.tracks import Tracks
from stemnet.columns import Columns
from stemnet.errors import StemnetError

FRAMES = 80
DRIFT = np.cumsum(np.random.default_rng(5).normal(0, 0.7, (FRAMES, 2)), axis=0)


def listed(stays):
    """Stays as they are without numbers of tracks and sites, in an order of their own."""
    rows = zip(
        stays.first, stays.last, stays.seen, stays.begins, stays.ends, stays.chances, stays.far, strict=True
    )
    return sorted(
        (tuple(np.round(place, 6)), *map(str, row)) for place, row in zip(stays.yx, rows, strict=True)
    )


@pytest.fixture(scope="module")
def filmed():
    columns, tracks, states, still = jumping(two_states(0.05, 0.1), FRAMES, 16, drift=DRIFT)
    return columns, tracks, states, still, find_stays(tracks, columns, still, DRIFT)


def test_every_stay_is_listed_with_its_frames_and_place(filmed):
    columns, tracks, states, _, stays = filmed
    assert len(stays) == 16 + (np.diff(states, axis=0) != 0).sum()
    assert stays.seen.sum() == len(columns)
    np.testing.assert_array_equal(stays.seen, stays.last - stays.first + 1)
    for one in range(len(stays)):
        during = states[stays.first[one] : stays.last[one] + 1, stays.track[one]]
        assert len(set(during)) == 1
    # its place is known to the error of a mean
    apart = np.diff(stays.yx, axis=0)[(np.diff(stays.track) == 0)]
    assert np.abs(np.abs(apart[:, 1]) - SPACING).max() < 1.2
    assert np.abs(apart[:, 0]).max() < 1.2
    assert tracks.stay.max() + 1 == len(stays)


def test_stays_begin_and_end_with_jumps_but_for_the_first_and_the_last(filmed):
    *_, stays = filmed
    for one in range(16):
        mine = np.flatnonzero(stays.track == one)
        mine = mine[np.argsort(stays.first[mine])]
        assert stays.begins[mine].tolist() == ["start"] + ["jump"] * (len(mine) - 1)
        assert stays.ends[mine].tolist() == ["jump"] * (len(mine) - 1) + ["end"]
        np.testing.assert_array_equal(stays.first[mine[1:]], stays.last[mine[:-1]] + 1)


def test_each_step_is_a_chance_once(filmed):
    *_, stays = filmed
    # far from the edges each of a particle's steps to a next frame is one
    np.testing.assert_array_equal(np.bincount(stays.track, stays.chances), FRAMES - 1)
    assert stays.far.all()


def test_a_particle_that_comes_back_is_at_the_same_site(filmed):
    _, _, states, _, stays = filmed
    where = np.stack([stays.track, states[stays.first, stays.track]], axis=1)
    planted = np.unique(where, axis=0, return_inverse=True)[1].ravel()
    pairs = np.unique(np.stack([planted, stays.site], axis=1), axis=0)
    assert len(pairs) == len(np.unique(planted)) == len(np.unique(stays.site))


def test_nothing_depends_on_the_order_of_the_rows_on_axes_or_on_where_the_drift_begins(filmed):
    columns, tracks, _, still, stays = filmed
    rows = np.random.default_rng(1).permutation(len(columns))
    mixed = Tracks(tracks.track[rows], tracks.stay[rows], tracks.spacing, tracks.jump)
    again = find_stays(mixed, columns.select(rows), still[rows], DRIFT)
    assert listed(again) == listed(stays)
    swapped = Columns(columns.yx[:, ::-1], columns.shape[::-1], None, columns.fields)
    turned = find_stays(tracks, swapped, still[:, ::-1], DRIFT[:, ::-1])
    np.testing.assert_allclose(turned.yx, stays.yx[:, ::-1])
    np.testing.assert_array_equal(turned.chances, stays.chances)
    moved = find_stays(tracks, columns, still - 7.0, DRIFT + 7.0)
    np.testing.assert_allclose(moved.yx, stays.yx - 7.0)
    np.testing.assert_array_equal(moved.ends, stays.ends)


def test_columns_of_no_track_have_no_stay_and_unknown_light_is_left_out(filmed):
    columns, tracks, _, still, stays = filmed
    none = tracks.track == 3
    hidden = Tracks(np.where(none, -1, tracks.track), np.where(none, -1, tracks.stay), SPACING, 2 * SPACING)
    light = np.full(len(columns), 5.0)
    light[::3] = np.nan
    light[tracks.track == 2] = np.nan
    found = find_stays(hidden, columns.with_fields(intensity=light), still, DRIFT)
    assert 3 not in found.track
    assert len(found) == (stays.track != 3).sum()
    assert np.isnan(found.intensity[found.track == 2]).all()
    long = (found.seen > 8) & (found.track != 2)
    assert long.any()
    assert (found.intensity[long] == 5.0).all()
    nothing = np.full(len(columns), -1)
    assert not len(find_stays(Tracks(nothing, nothing, SPACING, 1.0), columns, still, DRIFT))


def test_what_goes_out_of_sight_leaves_and_what_fades_disappears():
    frame = np.repeat(np.arange(10), 2)
    # the one wanders off to the edge and is gone after frame 5, the other fades in the middle after frame 6
    yx = np.stack([np.tile([50.0, 50.0], 10), np.tile([0.0, 60.0], 10)], axis=1)
    yx[::2, 1] = 4.0
    kept = (frame < 6) | ((frame == 6) & (np.arange(20) % 2 == 1))
    columns = Columns(yx[kept], (100, 120), fields={"frame": frame[kept]})
    which = np.tile([0, 1], 10)[kept]
    stays = find_stays(Tracks(which, which, 10.0, 20.0), columns, columns.yx, np.zeros((10, 2)))
    assert stays.ends.tolist() == ["leaves", "disappears"]
    assert stays.begins.tolist() == ["start", "start"]
    assert stays.chances.tolist() == [0, 6]
    assert stays.far.tolist() == [False, True]


def test_what_does_not_belong_together_is_refused_in_a_sentence(filmed):
    columns, tracks, _, still, _ = filmed
    with pytest.raises(StemnetError, match="find the tracks of these columns"):
        find_stays(tracks, columns.select(np.arange(10)), still[:10], DRIFT)
    with pytest.raises(StemnetError, match="frames 0 to 79, the drift is of 40 frames"):
        find_stays(tracks, columns, still, DRIFT[:40])
    with pytest.raises(StemnetError, match="do not say in which frame"):
        find_stays(tracks, Columns(columns.yx, columns.shape), still, DRIFT)
