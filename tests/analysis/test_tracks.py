"""Columns are followed through noise, gaps and jumps; stays, rates and displacements are what was planted."""

import numpy as np
import pytest

from stemnet.analysis.assignment import assign
from stemnet.analysis.stays import find_stays
from stemnet.analysis.tracks import find_tracks
from stemnet.analysis.transitions import rates, survival
from stemnet.columns import Columns
from stemnet.errors import StemnetError

SIDE, SPACING, FRAMES = 200, 10.0, 60


def movie(*, error=0.3, missed=0.03, false=1.0, hops=0.05, atoms=12, seed=0):
    """Columns on a square lattice, and bright atoms that hop over its hollows; ``true`` is which is which."""
    rng = np.random.default_rng(seed)
    i, j = np.indices((21, 21)).reshape(2, -1)
    lattice = np.stack([i, j], 1) * SPACING
    at = {
        tuple(one)
        for one in rng.permutation(np.stack(np.indices((20, 20)), -1).reshape(-1, 2))[:atoms].tolist()
    }
    at, hopped, rows = [np.array(one) for one in sorted(at)], 0, []
    for k in range(FRAMES):
        for number, place in enumerate(at):
            if k and rng.random() < hops:
                step = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)][rng.integers(4)])
                there = place + step
                free = not any(np.array_equal(there, other) for other in at)
                if free and ((there >= 0) & (there < 20)).all():
                    at[number], hopped = there, hopped + 1
        places = np.concatenate([lattice, (np.array(at) + 0.5) * SPACING])
        light = np.r_[np.full(len(lattice), 100.0), np.full(len(at), 400.0)]
        found = rng.random(len(places)) > missed * (light < 200)
        extra = rng.uniform(0, SIDE, (rng.poisson(false), 2))
        yx = np.concatenate([places[found] + rng.normal(0, error, (found.sum(), 2)), extra])
        light = np.r_[light[found], np.full(len(extra), 60.0)] * rng.lognormal(0, 0.1, len(yx))
        true = np.r_[np.flatnonzero(found), np.full(len(extra), -1)]
        rows.append((yx, light, true, np.full(len(yx), k)))
    yx, light, true, frame = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    sigma = np.full(len(yx), error)
    columns = Columns(
        yx, (SIDE, SIDE), fields={"frame": frame, "intensity": light, "sigma_y": sigma, "sigma_x": sigma}
    )
    return columns, true, hopped


@pytest.fixture(scope="module")
def followed():
    columns, true, hopped = movie()
    tracks = find_tracks(columns)
    return columns, true, hopped, tracks, find_stays(tracks, columns, columns.yx, np.zeros((FRAMES, 2)))


def test_columns_are_followed_and_not_taken_for_others(followed):
    columns, true, _, tracks, _ = followed
    frame, right, wrong, steps = columns["frame"], 0, 0, 0
    for one in range(true.max() + 1):
        mine = np.flatnonzero(true == one)
        mine = mine[np.argsort(frame[mine])]
        right += (tracks.track[mine[1:]] == tracks.track[mine[:-1]]).sum()
        steps += len(mine) - 1
    for one in range(len(tracks)):
        wrong += len(np.unique(true[(tracks.track == one) & (true >= 0)])) - 1
    print("followed", right / steps, "tracks of two columns", wrong, "of", len(tracks))
    assert right / steps > 0.998
    assert wrong <= 1
    assert (tracks.track[true < 0] >= 0).mean() < 0.1


def test_jumps_are_found_and_so_is_their_rate(followed):
    *_, hopped, _, stays = followed
    bright = stays.intensity > 200
    jumps = (stays.ends == "jump") & bright
    found = rates(stays, bright.astype(int))
    rate = found[1, "jump"]
    print("jumps", jumps.sum(), "of", hopped, "rate", rate, "of the others", found[0, "jump"])
    assert abs(int(jumps.sum()) - hopped) <= 2
    assert rate.low < 0.05 < rate.high
    assert found[0, "jump"].value < 2e-4
    length = np.hypot(*(stays.yx[1:] - stays.yx[:-1])[(stays.track[1:] == stays.track[:-1]) & jumps[:-1]].T)
    assert np.abs(length - SPACING).max() < 2


def test_dwell_times_fall_as_the_rate_says(followed):
    *_, stays = followed
    time, share, error = survival(stays, stays.intensity > 200)
    assert share[0] == 1
    off = (share - np.exp(-0.05 * time))[(time > 2) & (time < 25)]
    print("largest deviation", np.abs(off).max(), "error", error.max())
    assert np.abs(off).max() < 3 * error.max()


def test_what_comes_into_view_does_not_appear():
    rng = np.random.default_rng(0)
    i, j = np.indices((60, 20)).reshape(2, -1)
    lattice = np.stack([i - 40, j], 1) * SPACING + [0.0, 5.0]
    drift = np.stack([np.arange(30) * 4.0, np.zeros(30)], 1)
    parts = []
    for k in range(30):
        yx = lattice + drift[k]
        yx = yx[((yx > -0.5) & (yx < SIDE - 0.5)).all(1)]
        if k < 12:  # one that is there from the twelfth frame on
            yx = yx[np.hypot(*(yx - drift[k] - lattice[40 * 20 + 9 + 100]).T) > 1]
        parts.append((yx + rng.normal(0, 0.2, yx.shape), np.full(len(yx), k)))
    yx, frame = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = Columns(yx, (SIDE, SIDE), fields={"frame": frame})
    registered = yx - drift[frame]
    tracks = find_tracks(columns, registered)
    stays = find_stays(tracks, columns, registered, drift)
    assert (stays.begins == "appears").sum() == 1
    assert stays.first[stays.begins == "appears"].tolist() == [12]
    assert (stays.ends == "disappears").sum() == 0
    assert (stays.begins == "enters").sum() > 100
    assert (stays.begins == "start").sum() > 100


def test_an_assignment_is_the_cheapest_one():
    # nearest first would pair 0 with 1, and leave 1 with the dear one
    rows, cols = assign(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), np.array([2.0, 1.0, 1.5, 9.0]), 10.0)
    assert dict(zip(rows.tolist(), cols.tolist(), strict=True)) == {0: 0, 1: 1}
    rows, cols = assign(np.array([0, 1]), np.array([0, 0]), np.array([0.0, 1.0]), 2.0)
    assert rows.tolist() == [0]
    assert not len(assign(np.array([0]), np.array([0]), np.array([3.0]), 2.0)[0])


def test_what_cannot_be_followed_is_refused_in_words():
    one = Columns(np.zeros((3, 2)), (9, 9), fields={"frame": np.zeros(3, int)})
    with pytest.raises(StemnetError, match="two frames"):
        find_tracks(one)
    with pytest.raises(StemnetError, match="one a column"):
        find_tracks(one, np.zeros((2, 2)))
    alone = Columns(np.zeros((2, 2)), (9, 9), fields={"frame": np.arange(2)})
    with pytest.raises(StemnetError, match="one column"):
        find_tracks(alone)


def test_rows_stay_rows_and_short_tracks_are_none():
    columns = Columns(
        [[5, 5], [15, 5], [5, 5], [15, 5], [5, 5], [15, 5], [5, 15]],
        (30, 30),
        fields={"frame": np.array([0, 0, 1, 1, 2, 2, 2])},
    )
    tracks = find_tracks(columns)
    assert tracks.track.tolist() == [0, 1, 0, 1, 0, 1, -1]
    assert tracks.stay.tolist() == [0, 1, 0, 1, 0, 1, -1]


def test_rows_without_a_place_are_of_no_track_and_the_others_are_followed_as_without_them(followed):
    columns, *_ = followed
    gone = np.random.default_rng(4).random(len(columns)) < 0.05
    yx = columns.yx.copy()
    yx[gone] = np.nan
    found, without = find_tracks(columns, yx), find_tracks(columns.select(~gone))
    assert (found.track[gone] == -1).all()
    assert (found.stay[gone] == -1).all()
    np.testing.assert_array_equal(found.track[~gone], without.track)
    np.testing.assert_array_equal(found.stay[~gone], without.stay)


@pytest.mark.parametrize("light", [True, False])
def test_tracks_do_not_depend_on_the_order_of_the_rows(followed, light):
    columns, *_ = followed
    if not light:
        columns = Columns(columns.yx, columns.shape, fields={"frame": columns["frame"]})
    rows = np.random.default_rng(7).permutation(len(columns))
    one, other = find_tracks(columns), find_tracks(columns.select(rows))
    for name in ("track", "stay"):
        pairs = np.stack([getattr(one, name)[rows], getattr(other, name)], axis=1)
        assert len(np.unique(pairs, axis=0)) == len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1]))
