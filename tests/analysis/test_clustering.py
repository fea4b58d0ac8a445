import numpy as np
import pytest
from planted import SQUARE, table, two_domains
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from stemnet.analysis import cluster
from stemnet.analysis.clustering import agreement, kmeans, mixture
from stemnet.descriptors import bond_angles
from stemnet.errors import StemnetError

KMEANS = KMeans(n_init=5, random_state=0)


@pytest.mark.parametrize("estimator", [KMEANS, GaussianMixture(random_state=0)])
def test_planted_domains_are_found_and_counted(estimator):
    rows, label = two_domains()
    found = cluster(table(rows), estimator)
    assert found.n_clusters == 2
    assert adjusted_rand_score(label, found.labels) > 0.95


def test_the_largest_cluster_is_zero_and_centers_are_mean_rows():
    rows, label = two_domains()
    found = cluster(table(rows), KMEANS)
    assert np.bincount(found.labels).argmax() == 0
    np.testing.assert_allclose(found.centers[0], rows[found.labels == 0].mean(axis=0))
    np.testing.assert_array_equal(found.labels, 1 - label)


def test_rows_that_are_not_valid_get_no_label_and_never_matter():
    rows, _ = two_domains()
    masked = cluster(table(rows, invalid=[0, 5, 200]), KMEANS)
    assert (masked.labels[[0, 5, 200]] == -1).all()
    kept = np.delete(np.arange(400), [0, 5, 200])
    np.testing.assert_array_equal(masked.labels[kept], cluster(table(rows[kept]), KMEANS).labels)


def test_permuted_columns_permute_the_labels():
    rows, _ = two_domains()
    order = np.random.default_rng(3).permutation(400)
    straight, shuffled = cluster(table(rows), KMEANS), cluster(table(rows[order]), KMEANS)
    np.testing.assert_array_equal(shuffled.labels, straight.labels[order])


def test_a_given_number_of_clusters_is_kept():
    rows, _ = two_domains()
    assert cluster(table(rows), KMEANS, n_clusters=4).n_clusters == 4


def test_angles_find_domains_of_shear_whatever_their_rotation():
    rng = np.random.default_rng(0)
    label = np.arange(300) % 2
    angle = rng.uniform(0, 2 * np.pi, 300)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0)
    shear = np.array([[[1, 0], [0, 1.0]], [[1, 0.25], [0, 1]]])[label]
    vectors = SQUARE @ shear @ turn + 0.05 * rng.normal(size=(300, 4, 2))
    found = cluster(bond_angles(table(vectors.reshape(300, 8))), KMEANS)
    assert adjusted_rand_score(label, found.labels) > 0.95


@pytest.mark.parametrize(
    ("rows", "word"), [(np.zeros((0, 8)), "0 complete"), (np.ones((50, 8)), "equal rows")]
)
def test_what_cannot_be_clustered_gets_a_sentence(rows, word):
    with pytest.raises(StemnetError, match=word):
        cluster(table(rows), KMEANS)


def test_what_was_not_learned_from_is_labeled_all_the_same():
    rows, label = two_domains()
    found = cluster(table(rows), kmeans(0), most=60)
    assert (found.labels >= 0).all()
    assert adjusted_rand_score(label, found.labels) > 0.95
    assert np.bincount(found.labels).argmax() == 0
    np.testing.assert_array_equal(
        cluster(table(rows), kmeans(0), most=10**6).labels, cluster(table(rows), kmeans(0)).labels
    )


def test_agreement_is_that_of_the_partition_and_leaves_out_what_has_no_label():
    truth = np.repeat([0, 1, 2], 30)
    assert agreement(2 - truth, truth) == (1.0, 1.0)
    masked = np.where(np.arange(90) % 4 == 0, -1, truth)
    assert agreement(masked, truth) == (1.0, 1.0)
    by_chance = agreement(np.random.default_rng(0).integers(0, 3, 90), truth)
    assert abs(by_chance[0]) < 0.1
    assert np.isnan(agreement(np.full(90, -1), truth)).all()


@pytest.mark.parametrize("make", [kmeans, mixture])
def test_the_seed_of_a_clusterer_is_the_callers(make):
    assert make(7).random_state == 7
    rows, label = two_domains()
    assert adjusted_rand_score(label, cluster(table(rows), make(7)).labels) > 0.95
