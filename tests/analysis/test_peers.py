"""Classical peers: the contract, and what was planted."""

import time

import numpy as np
import pytest
from planted import polar_and_shear, table, two_domains
from sklearn.decomposition import FastICA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from stemnet.analysis import NearestMeanTree, NonNegativeParts, cluster, compare, embed


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    "estimator", [NonNegativeParts(), NearestMeanTree()], ids=lambda one: type(one).__name__
)
def test_the_contract_is_kept(estimator):
    checks = list(estimator_checks_generator(estimator, mark="skip"))
    assert len(checks) > 40
    for own, check in checks:
        try:
            check(own)
        except Exception as problem:
            if type(problem).__name__ not in ("SkipTest", "Skipped"):
                raise


def test_parts_add_up_to_rows_and_are_never_negative():
    rows, _, _ = polar_and_shear()
    found = embed(table(rows), NonNegativeParts(3), "nmf")
    model = found.model
    assert found.latent.min() >= 0
    assert model.components_.min() >= 0
    np.testing.assert_array_equal(model.minimum_, rows.min(axis=0))
    np.testing.assert_allclose(
        model.inverse_transform(found.latent), found.latent @ model.components_ + model.minimum_
    )
    # two modes and the way to the mean row are three parts; what is left is the noise of the numbers besides
    print(f"error {found.reconstruction_error:.4f}, noise {0.02 * np.sqrt(5 / 8):.4f}")
    assert found.reconstruction_error < 1.1 * 0.02 * np.sqrt(5 / 8)
    assert embed(table(rows), NonNegativeParts(1), "nmf").reconstruction_error > 3 * 0.02


def test_a_row_below_the_minimum_counts_as_on_it():
    rows, _, _ = polar_and_shear()
    model = NonNegativeParts(2).fit(rows)
    np.testing.assert_array_equal(
        model.transform(rows.min(axis=0, keepdims=True) - 1), model.transform(model.minimum_[None])
    )


def test_independent_components_unmix_what_pca_cannot():
    rng = np.random.default_rng(0)
    source = rng.uniform(-1, 1, (1000, 2))  # of equal variance: PCA sees no axes
    _, _, modes = polar_and_shear()
    rows = source @ modes + 0.01 * rng.normal(size=(1000, 8))
    latent = embed(table(rows), FastICA(2, whiten="unit-variance", random_state=0), "ica").latent
    best = np.abs(np.corrcoef(latent.T, source.T)[:2, 2:]).max(axis=0)
    print(f"correlations {best}")
    assert best.min() > 0.99


@pytest.mark.parametrize("linkage", ["ward", "average"])
def test_a_tree_finds_planted_domains_and_counts_them(linkage):
    rows, label = two_domains()
    found = cluster(table(rows), NearestMeanTree(linkage=linkage), method="hierarchical")
    assert found.n_clusters == 2
    assert adjusted_rand_score(label, found.labels) > 0.99


def test_a_comparison_can_refit_it():
    rows, _ = two_domains()
    found = cluster(table(rows), NearestMeanTree(), method="hierarchical")
    (row,) = compare([], [found])
    print(f"stability {row['stability']:.3f}, held-out error {row['error_held_out']:.4f}")
    assert row["stability"] > 0.99
    assert row["error_held_out"] == pytest.approx(0.05, rel=0.1)


def test_many_rows_take_the_memory_of_few():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 100_000)
    rows = 4.0 * label[:, None] + rng.normal(size=(100_000, 6))
    began = time.process_time()
    tree = NearestMeanTree(3).fit(rows)
    seconds = time.process_time() - began
    print(f"{seconds:.2f} s, ARI {adjusted_rand_score(label, tree.labels_):.4f}")
    assert adjusted_rand_score(label, tree.labels_) > 0.98
    # the distances of all pairs would be 40 GB
    assert seconds < 5
    np.testing.assert_array_equal(NearestMeanTree(3).fit(rows).labels_, tree.labels_)


def test_linear_probes_read_the_modes_from_parts():
    rows, amplitude, _ = polar_and_shear()
    latent = NonNegativeParts(3).fit_transform(rows)
    score = LinearRegression().fit(latent, amplitude).score(latent, amplitude)
    print(f"R2 {score:.3f}")
    assert score > 0.95
