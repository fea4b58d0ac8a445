"""What an autoencoder is written to comes back bit for bit, and embeds new rows without fitting."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from stemnet import resources
from stemnet.analysis import VariationalAutoencoder, embed
from stemnet.analysis.out_of_sample import remarks, scores
from stemnet.analysis.vae_file import VAECard
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

NAMES = tuple(f"r{i // 2}{'yx'[i % 2]}_A" for i in range(8))


def rows(n=300, seed=0):
    world, rng = np.random.default_rng(3), np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ world.normal(size=(2, 8)) + 0.1 * rng.normal(size=(n, 8))


def patches(n=120, seed=0):
    rng = np.random.default_rng(seed)
    axis = np.arange(9) - 4
    y, x = rng.normal(0, 1, (2, n, 1, 1))
    return np.exp(-((axis[:, None] - y) ** 2 + (axis - x) ** 2) / 4) + 0.05 * rng.normal(size=(n, 9, 9))


@pytest.mark.parametrize(
    ("X", "options"),
    [
        (rows(), {"hidden": (8,), "beta": 2.0}),
        (1 / (1 + np.exp(-rows())), {"likelihood": "bernoulli"}),
        (rows(), {"invariance": "rotation+scale", "n_components": 3}),
        (patches(), {"invariance": "rotation+translation+scale"}),
        (rows(), {"n_classes": 2}),
    ],
    ids=["plain", "shares", "turning vectors", "moving patches", "classes"],
)
def test_a_file_holds_all_of_it_bit_for_bit(X, options, tmp_path):
    model = VariationalAutoencoder(max_epochs=3, **options).fit(X)
    model.save(tmp_path / "new folder" / "vae.safetensors", VAECard(names=NAMES, scores={"elbo": -1.5}))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    back = VariationalAutoencoder.load(tmp_path / "new folder" / "vae.safetensors")
    assert torch.rand(1) == expected
    assert back.get_params() == model.get_params()
    for name in (
        "fold_",
        "noise_",
        "validation_score_",
        "stayed_linear_",
        "n_iter_",
        "n_features_in_",
        "row_shape_",
    ):
        assert getattr(back, name) == getattr(model, name), name
    np.testing.assert_array_equal(back.kl_, model.kl_)
    latent = model.transform(X)
    np.testing.assert_array_equal(back.transform(X), latent)
    np.testing.assert_array_equal(back.inverse_transform(latent), model.inverse_transform(latent))
    np.testing.assert_array_equal(back.reconstruct(X), model.reconstruct(X))
    np.testing.assert_array_equal(back.sample(4), model.sample(4))
    assert back.score(X) == model.score(X)
    if model.invariance:
        np.testing.assert_array_equal(back.pose(X).angle, model.pose(X).angle)
    if model.n_classes:
        np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    assert (back.card_.names, back.card_.scores["elbo"], len(back.sha256_)) == (NAMES, -1.5, 64)


def test_conditions_come_back(tmp_path):
    X, told = rows(), np.linspace(0, 1, 300)
    model = VariationalAutoencoder(max_epochs=2).fit(X, condition=told)
    model.save(tmp_path / "vae.safetensors")
    back = VariationalAutoencoder.load(tmp_path / "vae.safetensors")
    np.testing.assert_array_equal(back.transform(X, told), model.transform(X, told))


@pytest.fixture
def trained(tmp_path):
    model = VariationalAutoencoder(max_epochs=3, random_state=None).fit(rows())
    model.save(tmp_path / "vae.safetensors", VAECard(names=NAMES, rows={"rows": "vectors"}))
    return model, tmp_path / "vae.safetensors"


def test_fitting_by_a_file_trains_nothing(trained):
    model, path = trained
    new = rows(40, seed=1)
    taken = clone(VariationalAutoencoder.of(path)).fit(new)
    np.testing.assert_array_equal(taken.transform(new), model.transform(new))
    np.testing.assert_array_equal(taken.get_feature_names_out(), model.get_feature_names_out())
    # what the latents say of these rows, not of those that were trained on
    assert not np.array_equal(taken.kl_, model.kl_)
    table = Descriptors(new, NAMES, np.zeros((40, 2)), np.ones(40, bool))
    found = embed(table, VariationalAutoencoder.of(path), "vae")
    np.testing.assert_array_equal(found.latent, model.transform(new))


def test_rows_that_are_not_those_of_the_file_are_refused(trained):
    _, path = trained
    new = rows(40, seed=1)
    other = tuple(name.replace("_A", "_px") for name in NAMES)
    with pytest.raises(StemnetError, match=r"trained on rows of r0y_A, r0x_A, ..., and rows of r0y_px"):
        embed(
            Descriptors(new, other, np.zeros((40, 2)), np.ones(40, bool)),
            VariationalAutoencoder.of(path),
            "vae",
        )
    with pytest.raises(StemnetError, match=r"rows of 8 numbers, and rows of 6 were given.*\(rows=vectors\)"):
        VariationalAutoencoder.of(path).fit(new[:, :6])
    with pytest.raises(
        StemnetError, match="holds an autoencoder with n_components=2, and n_components=3 was"
    ):
        VariationalAutoencoder(3, weights=path).fit(new)


def test_files_that_hold_no_autoencoder_are_named(tmp_path):
    with pytest.raises(
        StemnetError, match=r"There is no weights file .*no.safetensors. Give a file that train.py"
    ):
        VariationalAutoencoder.load(tmp_path / "no.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(StemnetError, match="is not a stemnet weights file"):
        VariationalAutoencoder.of(tmp_path / "text.safetensors")
    with pytest.raises(StemnetError, match="holds no autoencoder of the format"):
        VariationalAutoencoder.load(resources.weights())


def test_scores_are_of_rows_that_no_training_saw_and_errors_match_a_direct_count(trained):
    model, _ = trained
    new = rows(200, seed=1)
    found = scores(model, rows(), new)
    assert found["elbo"] == model.score(new)
    assert found["error_held_out"] == pytest.approx(np.sqrt(np.mean((new - model.reconstruct(new)) ** 2)))
    # two planted modes and noise of 0.1 in eight numbers: PCA leaves six of them
    assert found["error_held_out_pca"] == pytest.approx(0.1 * np.sqrt(6 / 8), rel=0.05)
    assert (found["informative"], found["rows_train"], found["rows_test"]) == (2, 300, 200)
    noise = VariationalAutoencoder(max_epochs=3).fit(np.random.default_rng(0).normal(size=(2000, 8)))
    assert "collapsed" in remarks(noise, NAMES, np.random.default_rng(0).normal(size=(2000, 8)))[0]
