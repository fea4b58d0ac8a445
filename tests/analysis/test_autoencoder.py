import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from stemnet.analysis import VariationalAutoencoder


@parametrize_with_checks([VariationalAutoencoder(max_epochs=3)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def two_modes(n=600, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    amplitude = rng.normal(size=(n, 2))
    return 3.2 + 0.1 * amplitude @ rng.normal(size=(2, 12)) + noise * rng.normal(size=(n, 12)), amplitude


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_the_latent_carries_planted_modes(scale):
    X, amplitude = two_modes()
    latent = VariationalAutoencoder().fit_transform(X * scale)
    probe = LinearRegression().fit(latent, amplitude)
    assert probe.score(latent, amplitude) > 0.81


def test_a_curved_family_is_followed_better_than_by_pca():
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 2 * np.pi, 800)
    curve = np.stack([np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t)], axis=1)
    X = curve @ rng.normal(size=(4, 12)) + 0.1 * rng.normal(size=(800, 12))
    vae, pca = VariationalAutoencoder(max_epochs=60).fit(X[:600]), PCA(2).fit(X[:600])

    def error(model):
        return np.sqrt(np.mean((X[600:] - model.inverse_transform(model.transform(X[600:]))) ** 2))

    assert error(vae) < 0.6 * error(pca)
    assert vae.score(X[600:]) > pca.score(X[600:])


def test_the_bound_does_not_exceed_the_likelihood_of_a_linear_gaussian_world():
    X, _ = two_modes(n=1500)
    vae, pca = VariationalAutoencoder().fit(X), PCA(2).fit(X)
    assert pca.score(X) - 0.3 < vae.score(X) < pca.score(X) + 0.05


def test_same_seed_same_result_and_the_global_random_state_is_left_alone():
    X, _ = two_modes(n=200)
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = torch.rand(1), np.random.rand()  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    threads = torch.get_num_threads()
    first = VariationalAutoencoder(max_epochs=5).fit(X)
    assert (torch.rand(1), np.random.rand()) == expected  # noqa: NPY002
    assert torch.get_num_threads() == threads
    torch.manual_seed(77)
    second = clone(first).fit(X)
    np.testing.assert_array_equal(first.transform(X), second.transform(X))
    assert first.score(X) == second.score(X)
    other = clone(first).set_params(random_state=1).fit(X)
    assert first.validation_score_ != other.validation_score_


def test_patches_come_back_as_patches():
    patches = np.random.default_rng(0).normal(size=(40, 5, 4))
    vae = VariationalAutoencoder(max_epochs=2).fit(patches)
    latent = vae.transform(patches)
    assert latent.shape == (40, 2)
    assert vae.inverse_transform(latent).shape == (40, 5, 4)
    assert vae.sample(3).shape == (3, 5, 4)
    np.testing.assert_array_equal(vae.sample(3), vae.sample(3))
    assert np.isfinite(vae.score(patches))


def test_a_fitted_estimator_survives_pickling():
    X, _ = two_modes(n=60)
    vae = VariationalAutoencoder(max_epochs=2).fit(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vae)).transform(X), vae.transform(X))


def test_more_latents_than_the_data_can_fill_still_fit():
    X = np.random.default_rng(0).normal(size=(6, 3))
    assert VariationalAutoencoder(5, max_epochs=2).fit_transform(X).shape == (6, 5)


def test_noise_alone_is_seen_as_information_free():
    X = np.random.default_rng(0).normal(size=(2000, 12))
    assert VariationalAutoencoder().fit(X).kl_.max() < 0.2
