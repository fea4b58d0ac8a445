import numpy as np
import pytest
from alloys import SERIES, alloy, metals

from stemnet.descriptors.composition import global_composition, local_composition
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.shells import lattice_shells
from stemnet.errors import StemnetError


@pytest.mark.parametrize("name", SERIES)
def test_planted_local_shares_come_back(name):
    columns, probability, shells = metals(name)
    local = local_composition(columns, probability, shells, up_to=1, least=1.0)
    assert local.valid.sum() > 300
    np.testing.assert_allclose(
        local.values[local.valid, 0], columns["local_composition"][local.valid], atol=1e-5
    )
    assert np.isnan(local.values[columns["sublattice"] != 0]).all()


def test_columns_in_doubt_widen_the_errors_as_much_as_they_should():
    columns, truth, shells, _ = alloy(0.5, 0.2, 3)
    rng = np.random.default_rng(0)
    off = []
    for _ in range(100):
        # a calibrated doubt: columns called p are of the species with a chance of p
        doubtful = rng.random(len(truth)) < 0.5
        called = rng.random(len(truth)) < 0.8
        probability = np.where(doubtful, np.where(called == (truth > 0.5), 0.8, 0.2), truth)
        share = global_composition(probability)
        off.append((share.value - truth.mean()) / share.sigma)
    assert np.std(off) == pytest.approx(1, abs=0.4)
    local = local_composition(columns, probability, shells)
    assert np.nanmax(local.values[:, 1]) > 0
    assert (local_composition(columns, truth, shells).values[local.valid, 1] == 0).all()


def test_order_of_columns_changes_nothing():
    columns, probability, shells, _ = alloy(0.5, 0.1, 0)
    local = local_composition(columns, probability, shells)
    order = np.random.default_rng(0).permutation(len(columns))
    shuffled = columns.select(order)
    again = lattice_shells(shuffled, lattice_of(shuffled))
    np.testing.assert_allclose(
        local_composition(shuffled, probability[order], again).values, local.values[order]
    )


def test_nonsense_gets_a_sentence():
    columns, probability, shells = metals("remos2_05")
    with pytest.raises(StemnetError, match="0 to 1"):
        global_composition(2 * probability)
    with pytest.raises(StemnetError, match="of no column"):
        global_composition(np.full(5, np.nan))
    with pytest.raises(StemnetError, match="one per column"):
        local_composition(columns, probability[:5], shells)
