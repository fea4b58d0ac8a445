import numpy as np
import pytest
from alloys import SERIES, alloy, metals

from stemnet.descriptors.unlike_neighbors import compare_with_binomial, unlike_neighbors


@pytest.mark.parametrize("name", SERIES)
def test_planted_numbers_of_unlike_neighbors_come_back(name):
    columns, probability, shells = metals(name)
    unlike = unlike_neighbors(columns, probability, shells)
    assert unlike.valid.sum() > 300
    np.testing.assert_array_equal(unlike.values[unlike.valid, 0], columns["unlike_neighbors"][unlike.valid])


def test_the_binomial_is_that_of_a_random_alloy_alone():
    _, probability, shells, _ = alloy(0.5, 0.0, 1)
    rng = np.random.default_rng(2)
    found = [compare_with_binomial(rng.permutation(probability), shells, permutations=99) for _ in range(20)]
    assert np.mean([one.p_value < 0.05 for one in found]) < 0.2
    assert found[0].observed.sum() == pytest.approx(found[0].expected.sum())
    _, probability, shells, _ = alloy(0.5, 0.3, 1)
    ordered = compare_with_binomial(probability, shells, permutations=99)
    assert ordered.p_value <= 0.02
    assert "differ from" in ordered.verdict


def test_one_species_gets_a_verdict():
    _, probability, shells = metals("remos2_05")
    one = np.where(np.isfinite(probability), 1.0, np.nan)
    assert "larger field of view" in compare_with_binomial(one, shells).verdict
