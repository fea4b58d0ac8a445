"""Disentanglement, neighborhoods, held-out rows: scores of latents that are known to be good or bad."""

import numpy as np
import pytest
from planted import polar_and_shear
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from stemnet.analysis.disentanglement import information_gap, separated_predictability
from stemnet.analysis.held_out import cluster_means, halved_clustering, halved_embedding, rebuilt
from stemnet.analysis.neighborhood_kept import continuity, trustworthiness


@pytest.mark.parametrize("score", [information_gap, separated_predictability])
def test_a_latent_of_its_own_for_each_variable_scores_near_one_and_a_mixture_near_zero(score):
    rng = np.random.default_rng(0)
    variables = rng.uniform(-1, 1, (1500, 2))
    turned = variables @ np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)
    found = [score(latent, variables) for latent in (variables, turned, rng.normal(size=(1500, 2)))]
    print(score.__name__, found)
    assert found[0] > 0.95
    assert found[1] < 0.1
    assert found[2] < 0.05
    assert np.isnan(score(variables, np.zeros((1500, 0))))


def test_the_information_gap_sees_what_a_correlation_does_not():
    rng = np.random.default_rng(0)
    latent = rng.uniform(-1, 1, (1500, 2))
    variables = latent**2
    assert separated_predictability(latent, variables) < 0.05
    assert information_gap(latent, variables) > 0.9


def test_a_map_without_tears_is_trusted_and_a_folded_one_is_not():
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (500, 2))
    folded = np.column_stack([np.abs(rows[:, 0]), rows[:, 1]])
    torn = rows + np.where(rows[:, :1] > 0, [[5.0, 0.0]], [[-5.0, 0.0]]) * (rows[:, 1:] > 0)
    assert trustworthiness(rows, rows) == continuity(rows, rows) == 1
    assert trustworthiness(rows, folded) < 0.9 < continuity(rows, folded)
    assert continuity(rows, torn) < trustworthiness(rows, torn)
    assert trustworthiness(rows, rng.normal(size=(500, 2))) == pytest.approx(0.5, abs=0.05)
    assert np.isnan(trustworthiness(rows[:15], rows[:15]))


def test_halves_agree_on_planted_modes_and_their_error_is_the_noise():
    rows, _, _ = polar_and_shear(n=1000, noise=0.02)
    error, agreement = halved_embedding(PCA(2), rows)
    # six of the eight directions are noise alone
    assert error == pytest.approx(0.02 * np.sqrt(6 / 8), rel=0.03)
    assert agreement > 0.99
    error, agreements = halved_clustering(KMeans(2, n_init=3, random_state=0), rows, rows[:, 1] > 0, 2, 0)
    assert 0.02 < error < rows.std(axis=0).max()
    assert agreements.shape == (10,)


def test_what_a_model_knows_of_the_pose_is_used():
    class Posed:
        def reconstruct(self, rows):
            return rows + 1

    rows = np.zeros((4, 3, 3))
    assert (rebuilt(Posed(), rows) == 1).all()


def test_an_empty_cluster_has_the_mean_of_all():
    means = cluster_means(np.array([[1.0], [3.0]]), np.array([0, 0]), 2)
    np.testing.assert_array_equal(means, [[2.0], [2.0]])
