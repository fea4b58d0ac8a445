"""How many components and clusters: what was planted, and that noise is none."""

import numpy as np
import pytest
from planted import SQUARE, polar_and_shear, table, two_domains

from stemnet.analysis.model_selection import select_clusters, select_components
from stemnet.errors import StemnetError

SHARED = np.kron(np.ones((4, 4)) + np.eye(4), np.eye(2))  # four neighbors and the column itself, equal errors


def noise(n=400, seed=0):
    """Neighbor vectors of a perfect crystal: errors of the neighbors, and of the column that all share."""
    rng = np.random.default_rng(seed)
    own = np.tile(rng.normal(size=(n, 2)), 4)
    return SQUARE.ravel() + 0.05 * (rng.normal(size=(n, 8)) + own)


def phases(count, n=600, seed=0):
    rng = np.random.default_rng(seed)
    return (
        SQUARE.ravel()
        + (0.3 * rng.normal(size=(count, 8)))[rng.integers(0, count, n)]
        + 0.05 * rng.normal(size=(n, 8))
    )


@pytest.mark.parametrize(
    ("rows", "planted"), [(two_domains()[0], 1), (polar_and_shear()[0], 2), (phases(4), 3)]
)
def test_planted_modes_are_counted(rows, planted):
    found = select_components(table(rows))
    print(found.sentence, np.round(found.table["eigenvalue"], 2))
    assert found.choice == planted
    assert str(planted) in found.sentence
    np.testing.assert_allclose(found.table["cumulative"][-1], 1)
    # what is no signal lies on the floor
    ratio = found.table["eigenvalue"][planted:] / found.table["floor"][planted:]
    assert ratio.min() > 0.8
    assert ratio.max() < 1.35


@pytest.mark.parametrize("seed", range(5))
def test_the_error_that_a_row_shares_is_no_signal(seed):
    rows = table(noise(seed=seed))
    assert select_components(rows, SHARED).choice == 0
    # and would pass for a polar shift, were it not told
    assert select_components(rows).choice == 2


@pytest.mark.parametrize("count", [2, 3, 4])
def test_all_rules_find_planted_phases(count):
    found = select_clusters(table(phases(count)))
    print(found.sentence)
    assert (found.choice, found.by_silhouette, found.by_bic, found.by_gap) == (count,) * 4


@pytest.mark.parametrize("rows", [noise(), polar_and_shear()[0]], ids=["noise", "smooth modes"])
def test_without_clusters_only_the_gap_says_so(rows):
    found = select_clusters(table(rows))
    print(found.sentence)
    assert found.by_gap == found.choice == 1
    assert found.by_silhouette >= 2
    assert "no cluster is more than chance" in found.sentence


def test_rows_that_are_not_valid_do_not_count_and_the_seed_decides():
    rows = phases(3)
    masked = select_clusters(table(rows, invalid=[0, 5]))
    np.testing.assert_equal(masked.table, select_clusters(table(np.delete(rows, [0, 5], axis=0))).table)


def test_few_rows_are_counted_as_far_as_they_go():
    rows = phases(2, n=5)
    found = select_clusters(table(rows))
    np.testing.assert_array_equal(found.table["clusters"], [1, 2, 3, 4])


@pytest.mark.parametrize("rows", [np.ones((50, 8)), np.zeros((0, 8))])
@pytest.mark.parametrize("count", [select_components, select_clusters])
def test_what_cannot_be_counted_gets_a_sentence(count, rows):
    with pytest.raises(StemnetError, match=r"equal rows|0 complete rows"):
        count(table(rows))


def test_the_record_is_plain():
    record = select_clusters(table(phases(2))).record()
    assert record["choice"] == 2
    assert record["silhouette"][0] is None
