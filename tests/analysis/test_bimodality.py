import numpy as np
import pytest
from alloy_series import series

from stemnet.analysis.bimodality import bimodality, bimodality_by_group
from stemnet.analysis.modes import joint_modes
from stemnet.errors import StemnetError


def peaks(distance, n=300, share=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n) + distance * (rng.random(n) < share)


@pytest.mark.parametrize(("distance", "share"), [(4.0, 0.5), (5.0, 0.15)])
def test_two_peaks_are_found_with_their_places_and_weights(distance, share):
    found = bimodality(peaks(distance, share=share), np.random.default_rng(0), bootstrap=49)
    assert found.two
    assert found.p_value <= 0.02
    np.testing.assert_allclose(found.means, [0, distance], atol=0.4)
    np.testing.assert_allclose(found.weights, [1 - share, share], atol=0.07)
    assert found.separation == pytest.approx(distance, rel=0.2)


def test_one_peak_is_never_two():
    rng = np.random.default_rng(1)
    samples = [rng.normal(size=200) for _ in range(20)] + [rng.gamma(4.0, size=200) for _ in range(10)]
    samples += [rng.standard_t(4, size=200) for _ in range(10)]
    assert not any(bimodality(sample, rng, bootstrap=0).two for sample in samples)


def test_the_bootstrap_is_fair_to_one_gaussian():
    rng = np.random.default_rng(2)
    p = [bimodality(rng.normal(size=40), rng, bootstrap=9).p_value for _ in range(25)]
    assert np.mean(np.array(p) <= 0.1) < 0.3
    assert 0.35 < np.mean(p) < 0.75


def test_unit_shift_and_order_change_nothing_and_a_seed_repeats():
    values = peaks(4.0)
    one = bimodality(values, np.random.default_rng(3), bootstrap=9)
    other = bimodality(100 - 50 * values[::-1], np.random.default_rng(3), bootstrap=9)
    assert other.bic_difference == pytest.approx(one.bic_difference, abs=0.05)
    np.testing.assert_allclose(other.means, (100 - 50 * one.means)[::-1], rtol=1e-2)
    assert one.p_value == bimodality(values, np.random.default_rng(3), bootstrap=9).p_value


def test_too_few_or_equal_scores_get_a_verdict():
    rng = np.random.default_rng(0)
    few = bimodality(np.append(rng.normal(size=12), np.nan), rng)
    assert not few.two
    assert "12 scores are too few" in few.verdict
    assert "30 different ones are needed" in bimodality(np.ones(50), rng).verdict
    with pytest.raises(StemnetError, match="one mode"):
        bimodality(np.ones((50, 2)), rng)
    with pytest.raises(StemnetError, match="one per column"):
        bimodality_by_group(np.ones(5), np.ones(4), "unlike", rng)


def test_environments_are_asked_one_by_one():
    rng = np.random.default_rng(4)
    group = np.repeat([0.0, 1.0, -1.0], 200)
    scores = np.concatenate([rng.normal(size=200), peaks(5.0, 200), peaks(9.0, 200)])
    table = bimodality_by_group(scores, group, "unlike_neighbors", rng, bootstrap=9)
    assert [row["unlike_neighbors"] for row in table] == [0, 1]
    assert [row["two"] for row in table] == [0, 0]  # nine samples cannot say p below a twentieth
    table = bimodality_by_group(scores, group, "unlike_neighbors", rng, bootstrap=0)
    assert [row["two"] for row in table] == [0, 1]


def test_the_alloy_series_breaks_its_symmetry_once_chains_set_in():
    """At 5 % Re hardly any are there; at 55 % there are both."""
    modes = joint_modes(series()[0], 3)
    size = [np.linalg.norm(scores, axis=1) for scores in modes.scores[:2]]
    found = [bimodality(part, np.random.default_rng(0), bootstrap=0) for part in size]
    print([one.verdict for one in found])
    assert found[1].two
    assert not found[0].two
