"""Depth and mistilt: integrals agree with sums over depth, and what is no displacement is told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.depth import (
    attenuated,
    brightness,
    decay_by_number,
    decay_of,
    depth_variance,
    mean_depth,
)
from stemnet.simulation.distortions.beam import mistilted
from stemnet.simulation.distortions.spread import pieces, spread_of, widened
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Ramp

CRYSTAL = grow(perovskite(), (40.0, 40.0), thickness=200.0)
PERIOD = 3.905
DECAY = decay_by_number(0.02)


@given(st.floats(0, 0.2), st.floats(1.0, 1000.0))
def test_integrals_over_depth(mu, t):
    edges = np.linspace(0, t, 20001)
    z = (edges[1:] + edges[:-1]) / 2
    weight = np.exp(-mu * z)
    assert brightness(mu, t) == pytest.approx(weight.mean() * t, rel=1e-4)
    mean = (weight * z).sum() / weight.sum()
    assert mean_depth(mu, t) == pytest.approx(mean, rel=1e-4)
    variance = (weight * (z - mean) ** 2).sum() / weight.sum()
    assert depth_variance(mu, t) == pytest.approx(variance, rel=1e-3)


@pytest.mark.parametrize("function", [brightness, mean_depth, depth_variance])
def test_no_seam_where_the_series_takes_over(function):
    x = np.geomspace(1e-10, 1e4, 4000)
    values = function(x / 100.0, 100.0)
    assert np.isfinite(values).all()
    assert (np.diff(values) <= 1e-9 * values[:-1]).all()


def test_the_heavier_column_is_seen_closer_to_the_entrance():
    after = mistilted(CRYSTAL, (0.0, 5e-3), DECAY, PERIOD)
    shift = after.planted["mistilt_x_A"]
    np.testing.assert_array_equal(np.stack([after.planted["mistilt_y_A"], shift], 1), after.displacement)
    strontium, titanium, oxygen = (shift[CRYSTAL.sublattice == s].mean() for s in (0, 1, 2))
    assert strontium < titanium < oxygen < 0
    mu = decay_of(CRYSTAL, DECAY)
    sr, ti = (mu[CRYSTAL.sublattice == s][0] for s in (0, 1))
    wanted = np.tan(5e-3) * (mean_depth(ti, 200.0) - mean_depth(sr, 200.0))
    assert titanium - strontium == pytest.approx(float(wanted))
    assert 0.01 < titanium - strontium < 0.3  # some picometres for some milliradians
    assert not after.planted["mistilt_y_A"].any()


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_mistilt_is_odd_and_widens_along_itself(y, x):
    after, back = mistilted(CRYSTAL, (y, x), DECAY, PERIOD), mistilted(CRYSTAL, (-y, -x), DECAY, PERIOD)
    np.testing.assert_allclose(after.displacement, -back.displacement, atol=1e-12)
    way = np.array([np.tan(y), np.tan(x)])
    wanted = depth_variance(decay_of(CRYSTAL, DECAY), 200.0)[:, None, None] * np.outer(way, way)
    np.testing.assert_allclose(spread_of(after), wanted, atol=1e-12)
    np.testing.assert_allclose(spread_of(after), spread_of(back), atol=1e-12)


def test_columns_that_lose_nothing_stay():
    after = mistilted(CRYSTAL, (0.01, -0.01), 0.0, PERIOD)
    np.testing.assert_allclose(after.yx, CRYSTAL.yx, atol=1e-12)
    level = mistilted(CRYSTAL, (0.0, 0.0), DECAY, PERIOD)
    np.testing.assert_array_equal(level.yx, CRYSTAL.yx)
    assert not spread_of(level).any()


def test_tilt_of_a_bent_foil_is_a_field():
    after = mistilted(CRYSTAL, (Ramp(0.0, (0.0, 2e-4), (0.0, 20.0)), 0.0), DECAY, PERIOD)
    np.testing.assert_allclose(
        after.planted["beam_tilt_y_rad"], after.field_at("beam_tilt_y_rad", CRYSTAL.yx), atol=1e-12
    )
    ours = CRYSTAL.sublattice == 0
    left, right = CRYSTAL.yx[:, 1] < 15, CRYSTAL.yx[:, 1] > 25
    assert after.displacement[ours & left, 0].mean() * after.displacement[ours & right, 0].mean() < 0


def test_thickness_that_counts():
    after = attenuated(CRYSTAL, DECAY, PERIOD)
    strontium, oxygen = (after.thickness[CRYSTAL.sublattice == s][0] for s in (0, 2))
    assert strontium < oxygen < 200.0 / PERIOD
    np.testing.assert_allclose(after.planted["repeats"], 200.0 / PERIOD)
    # Thin columns count in full.
    thin = grow(perovskite(), (20.0, 20.0), thickness=0.01)
    np.testing.assert_allclose(attenuated(thin, DECAY, PERIOD).thickness, thin.thickness, rtol=1e-3)
    # The order of the two does not matter to the shift.
    one = mistilted(attenuated(CRYSTAL, DECAY, PERIOD), (0.0, 5e-3), DECAY, PERIOD)
    np.testing.assert_allclose(one.yx, mistilted(CRYSTAL, (0.0, 5e-3), DECAY, PERIOD).yx, atol=1e-12)


@pytest.mark.parametrize("tilt", [0.0, 1e-3, 5e-3, 2e-2])
@pytest.mark.parametrize("heat", [0.0, 0.08])
def test_pieces_have_the_mean_and_the_spread_of_their_columns(tilt, heat):
    specimen = mistilted(CRYSTAL, (0.4 * tilt, tilt), DECAY, PERIOD)
    specimen = widened(specimen, np.tile(heat**2 * np.eye(2), (len(specimen), 1, 1)))
    rows, offsets, shares = pieces(specimen, step=0.5)
    count = len(specimen)
    np.testing.assert_allclose(np.bincount(rows, shares, count), 1)
    second = shares[:, None, None] * offsets[:, :, None] * offsets[:, None, :]
    for axis in (0, 1):
        np.testing.assert_allclose(np.bincount(rows, shares * offsets[:, axis], count), 0, atol=1e-12)
        for other in (0, 1):
            seen = np.bincount(rows, second[:, axis, other], count)
            np.testing.assert_allclose(seen, spread_of(specimen)[:, axis, other], atol=1e-9)
    for row in (0, count // 2):
        ours = offsets[rows == row]
        apart = np.linalg.norm(ours[:, None] - ours[None], axis=-1) + 9 * np.eye(len(ours))
        assert len(ours) == 1 or apart.min(0).max() <= 0.5 + 1e-9
    assert len(rows) == count or tilt or heat


def test_nonsense_is_refused():
    with pytest.raises(StemnetError, match="not in mrad"):
        mistilted(CRYSTAL, (0.0, 5.0), DECAY, PERIOD)
    with pytest.raises(StemnetError, match="period"):
        mistilted(CRYSTAL, (0.0, 5e-3), DECAY, 0.0)
    with pytest.raises(StemnetError, match="heaviest"):
        attenuated(CRYSTAL, {"Sr": 0.01}, PERIOD)
    with pytest.raises(StemnetError, match="positive"):
        attenuated(CRYSTAL, -0.1, PERIOD)


def test_a_beam_that_follows_its_columns_sees_no_offset_and_beyond_that_the_other_sign():
    specimen = grow(perovskite(), (60.0, 60.0), thickness=200.0)
    decay = {"Sr": 0.0089, "Ti": 0.0071, "O": 0.003}
    shifts = [
        mistilted(specimen, (0.0, 0.005), decay, 3.905, guiding=share).planted["mistilt_x_A"]
        for share in (0.0, 1.0, 1.3)
    ]
    assert np.ptp(shifts[0]) > 0.01
    np.testing.assert_allclose(shifts[1], 0, atol=1e-12)
    np.testing.assert_allclose(shifts[2], -0.3 * shifts[0], atol=1e-12)
