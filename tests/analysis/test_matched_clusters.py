"""Who is who among clusters and classes."""

import numpy as np
import pytest

from stemnet.analysis.matched_clusters import matched


def test_clusters_under_other_names_are_the_classes():
    truth = np.repeat([0, 1, 2], [50, 30, 20])
    found = matched(np.array([2, 0, 1])[truth], truth)
    np.testing.assert_array_equal(found.counts, np.diag([50, 30, 20]))
    np.testing.assert_array_equal(found.cluster, [2, 0, 1])
    assert found.accuracy == 1
    assert (found.f1 == 1).all()
    assert (found.recall == 1).all()


def test_a_rare_class_gets_the_cluster_that_holds_it():
    truth = np.repeat([0, 1], [980, 20])
    labels = np.concatenate([np.zeros(975), np.full(5, 1), np.full(18, 1), [0, 0]]).astype(int)
    found = matched(labels, truth)
    assert found.recall[1] == pytest.approx(18 / 20)
    assert found.f1[1] == pytest.approx(2 * 18 / (20 + 23))


def test_more_or_fewer_clusters_than_classes():
    truth = np.repeat([0, 1, 2], 10)
    few = matched(np.repeat([0, 0, 1], 10), truth)
    assert few.counts.shape == (3, 3)
    assert sorted(few.cluster) == [-1, 0, 1]
    assert few.accuracy == pytest.approx(2 / 3)
    many = matched(np.arange(30) // 5, truth)
    assert many.counts.shape == (3, 6)
    assert many.accuracy == pytest.approx(0.5)
    assert sorted(many.cluster) == list(range(6))


def test_what_is_unknown_counts_in_neither():
    assert matched(np.array([0, 1, -1, 0]), np.array([0, 1, 1, -1])).counts.sum() == 2
