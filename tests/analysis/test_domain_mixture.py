"""Labels that know those of their neighbors: domains in noise, and nothing where there are none."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

from stemnet.analysis import DomainMixture, cluster
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


@parametrize_with_checks([DomainMixture()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def stripes(noise, seed=0, side=24):
    """Rows (N, 6), labels and places of three domains with straight walls; noise in units of the means' distance."""
    rng = np.random.default_rng(seed)
    yx = np.stack(np.divmod(np.arange(side**2), side), axis=1).astype(float)
    label = (yx[:, 1] + 0.5 * yx[:, 0] > 15).astype(int) + (yx[:, 1] > 20)
    means = np.zeros((3, 6))
    means[1, 0] = means[2, 1] = 1.0
    return means[label] + noise * rng.normal(size=(len(yx), 6)), label, yx


def ari(label, found):
    return adjusted_rand_score(label, found)


def test_domains_are_found_where_noise_hides_single_rows():
    rows, label, yx = stripes(0.35)
    alone, told = DomainMixture(3).fit(rows), DomainMixture(3).fit(rows, places=yx)
    print(
        "ARI", ari(label, alone.labels_), "with places", ari(label, told.labels_), "coupling", told.coupling_
    )
    assert ari(label, alone.labels_) < 0.8
    assert ari(label, told.labels_) > 0.95
    assert alone.coupling_ == 0
    assert told.coupling_ > 0.8
    # another image of the same kind, in another unit of length
    other, there, _ = stripes(0.35, seed=1)
    assert ari(there, told.predict(other, 0.2 * yx)) > 0.95
    np.testing.assert_allclose(told.predict_proba(other, yx).sum(axis=1), 1)
    # one row has no neighbors, and stands for itself
    assert told.predict(other[:1], yx[:1]).tolist() == told.predict(other[:1]).tolist()


def test_labels_that_lie_at_random_do_not_lean_on_each_other():
    """Phases that are mixed cell by cell: places must do no harm."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 24**2)
    rows = np.eye(2)[label] @ np.eye(2, 6) + 0.25 * rng.normal(size=(len(label), 6))
    yx = np.stack(np.divmod(np.arange(len(label)), 24), axis=1)
    alone, told = DomainMixture().fit(rows), DomainMixture().fit(rows, places=yx)
    assert told.coupling_ < 0.2
    assert abs(ari(label, told.labels_) - ari(label, alone.labels_)) < 0.03


def test_rows_that_are_clear_keep_their_walls():
    rows, label, yx = stripes(0.05)
    assert ari(label, DomainMixture(3).fit(rows, places=yx).labels_) == 1


def test_without_places_it_is_the_mixture():
    rows, _, _ = stripes(0.3)
    ours = DomainMixture(3).fit(rows)
    theirs = GaussianMixture(3, covariance_type="tied", n_init=5, random_state=0).fit_predict(rows)
    assert ari(theirs, ours.labels_) == 1


def test_rows_that_are_masked_are_left_out_and_places_are_told_by_the_table():
    rows, label, yx = stripes(0.35)
    valid = np.random.default_rng(0).random(len(rows)) > 0.2
    values = np.where(valid[:, None], rows, np.nan)
    table = Descriptors(values, tuple(f"n{i}_1" for i in range(6)), yx, valid)
    found = cluster(table, DomainMixture(), 3)
    assert found.model.coupling_ > 0.5
    assert ari(label[valid], found.labels[valid]) > 0.9
    assert (found.labels[~valid] == -1).all()
    few = cluster(table, DomainMixture(), 3, most=300)
    assert ari(label[valid], few.labels[valid]) > 0.9


def test_places_of_other_rows_are_refused():
    rows, _, yx = stripes(0.3)
    with pytest.raises(StemnetError, match=r"Places of shape \(10, 2\) were given for 576 rows"):
        DomainMixture(3).fit(rows, places=yx[:10])
