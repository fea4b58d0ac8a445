"""Rates, their intervals, and dwell times of Markov jumps are those that were planted, in balance in equilibrium."""

import numpy as np
import pytest
from jumping import jumping, two_states

from stemnet.analysis.stays import find_stays
from stemnet.analysis.tracks import find_tracks
from stemnet.analysis.transitions import rate_of, rates, survival
from stemnet.errors import StemnetError


def stays_of(odds, frames, particles, seed=0):
    """Stays of particles by their true tracks, and the states (T, P)."""
    columns, tracks, states, still = jumping(odds, frames, particles, seed=seed)
    return find_stays(tracks, columns, still, np.zeros((frames, 2))), states


def states_of(stays, states):
    """State of each stay, by true tracks."""
    return states[stays.first, stays.track]


@pytest.mark.parametrize(("there", "back"), [(0.02, 0.02), (0.05, 0.15), (0.3, 0.1)])
def test_rates_of_both_states_lie_within_their_intervals(there, back):
    held = []
    for seed in range(12):
        stays, states = stays_of(two_states(there, back), 60, 25, seed)
        found = rates(stays, states_of(stays, states))
        for kind, odds in ((0, there), (1, back)):
            rate = found[kind, "jump"]
            held.append(rate.low <= -np.log1p(-odds) <= rate.high)
    print("held", np.mean(held))
    assert np.mean(held) >= 0.87  # of 24, at 95 %: fewer than 21 once in some hundred


def test_errors_shrink_and_pulls_are_normal():
    pulls = []
    for seed in range(40):
        stays, _ = stays_of(two_states(0.06, 0.06), 40, 25, seed)
        rate = rates(stays, np.zeros(len(stays), int))[0, "jump"]
        pulls.append((rate.value + np.log1p(-0.06)) / ((rate.high - rate.low) / 3.92))
    print("pull", np.mean(pulls), np.std(pulls))
    assert abs(np.mean(pulls)) < 0.5
    assert 0.7 < np.std(pulls) < 1.3


def test_followed_columns_give_the_planted_rate_too():
    columns, _, states, still = jumping(two_states(0.04, 0.04), 100, 25, seed=3)
    tracks = find_tracks(columns, stay=5.0, jump=30.0)
    stays = find_stays(tracks, columns, still, np.zeros((100, 2)))
    rate = rates(stays, np.zeros(len(stays), int))[0, "jump"]
    jumps = (np.diff(states, axis=0) != 0).sum()
    print("jumps", rate.events, "of", jumps, rate)
    assert abs(rate.events - jumps) <= 2
    assert rate.low < -np.log1p(-0.04) < rate.high


def test_in_equilibrium_jumps_there_are_as_many_as_jumps_back():
    # three sites in a row, of different depth: detailed balance holds between each two of them
    odds = np.array([[0.95, 0.05, 0.0], [0.10, 0.80, 0.10], [0.0, 0.20, 0.80]])
    stays, states = stays_of(odds, 300, 49, seed=1)
    state = states_of(stays, states)
    order = np.lexsort((stays.first, stays.track))
    same = np.diff(stays.track[order]) == 0
    counts = np.zeros((3, 3))
    np.add.at(counts, (state[order][:-1][same], state[order][1:][same]), 1)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(state[stays.ends == "jump"], minlength=3))
    for i, j in ((0, 1), (1, 2)):
        excess = (counts[i, j] - counts[j, i]) / np.sqrt(counts[i, j] + counts[j, i])
        print(i, j, counts[i, j], counts[j, i])
        assert counts[i, j] > 300
        assert abs(excess) < 2
    assert counts[0, 2] + counts[2, 0] == 0
    # what is spent in each goes as the odds say: 0 and 1 as 2 to 1, 1 and 2 as 2 to 1
    time = np.bincount(state, stays.last - stays.first + 1)
    assert time / time.sum() == pytest.approx(np.array([4, 2, 1]) / 7, abs=0.03)
    # and rates out of each are those planted
    found = rates(stays, state)
    for kind, out in ((0, 0.05), (1, 0.2), (2, 0.2)):
        assert found[kind, "jump"].low < -np.log1p(-out) < found[kind, "jump"].high


def test_dwell_times_are_those_of_the_chain_in_short_movies_too():
    # of 8 frames most stays are cut off; what is cut off must not pass for having stayed
    hazard = []
    for seed in range(30):
        stays, _ = stays_of(two_states(0.1, 0.1), 8, 64, seed)
        time, share, error = survival(stays, np.ones(len(stays), bool))
        at = np.searchsorted(time, 5, side="right") - 1
        hazard.append((share[at] - 0.9**5) / error[at])
    print("pull of the share after five frames", np.mean(hazard), np.std(hazard))
    assert abs(np.mean(hazard)) < 3 / np.sqrt(30)
    assert 0.7 < np.std(hazard) < 1.3


def test_survival_begins_with_all_and_only_falls():
    stays, states = stays_of(two_states(0.05, 0.2), 100, 25)
    for kind, odds in ((0, 0.05), (1, 0.2)):
        time, share, error = survival(stays, states_of(stays, states) == kind)
        assert (time[0], share[0], error[0]) == (0, 1, 0)
        assert (np.diff(share) <= 0).all()
        early = (time > 0) & (time < 15)
        assert (np.abs(share - (1 - odds) ** time)[early] < 4 * error[early]).all()
    time, share, error = survival(stays, np.zeros(len(stays), bool))
    assert (time.tolist(), share.tolist(), error.tolist()) == ([0.0], [1.0], [0.0])


def test_rates_do_not_depend_on_the_order_of_the_stays():
    stays, states = stays_of(two_states(0.05, 0.2), 60, 16)
    kind = states_of(stays, states)
    rows = np.random.default_rng(0).permutation(len(stays))
    mixed = type(stays)(*(getattr(stays, name)[rows] for name in stays.__dataclass_fields__))
    assert rates(mixed, kind[rows]) == rates(stays, kind)
    for one, other in zip(survival(mixed, kind[rows] == 1), survival(stays, kind == 1), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_interval_holds_the_rate_as_often_as_it_says():
    rng = np.random.default_rng(0)
    share = 1 - np.exp(-0.03)
    held = [
        rate.low <= 0.03 <= rate.high
        for rate in (rate_of(int(rng.binomial(300, share)), 300) for _ in range(400))
    ]
    print("held", np.mean(held))
    assert 0.94 < np.mean(held) <= 1
    assert rate_of(0, 100).low == 0 < rate_of(0, 100).high < 0.04
    assert np.isnan(rate_of(0, 0).value)
    assert rate_of(5, 5).high == np.inf


def test_impossible_counts_are_refused_in_a_sentence():
    with pytest.raises(StemnetError, match="7 events in 5 steps"):
        rate_of(7, 5)
    with pytest.raises(StemnetError, match="-1 events"):
        rate_of(-1, 5)
    stays, _ = stays_of(two_states(0.1, 0.1), 10, 4)
    with pytest.raises(StemnetError, match="one a stay"):
        rates(stays, np.zeros(2, int))
