from functools import partial

import numpy as np
import pytest
from planted import SQUARE, table
from sklearn.decomposition import FastICA
from sklearn.mixture import GaussianMixture

from stemnet.analysis import NearestMeanTree, VariationalAutoencoder, embed, side_by_side
from stemnet.analysis.road import about_embedding, noise_information
from stemnet.columns import Columns
from stemnet.descriptors import neighbor_vectors


def ferroelectric(side=18, noise=0.15, seed=0):
    """Square A lattice with B in the centers, displaced along +y left of a wall and -y right of it."""
    rng = np.random.default_rng(seed)
    a = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).reshape(-1, 2) * 20.0 + 10
    b = a + 10.0
    domain = (b[:, 1] > 10 * side).astype(int)
    b = b + np.where(domain[:, None] == 1, 2.0, -2.0) * [1.0, 0.0]
    yx = np.concatenate([a, b]) + rng.normal(0, noise, (2 * side**2, 2))
    intensity = np.concatenate([np.full(len(a), 1.0), np.full(len(b), 0.4)])
    columns = Columns(yx, (20 * side + 10, 20 * side + 10), 0.2, {"intensity": intensity})
    return columns, np.concatenate([np.full(len(a), -1), domain])


def test_every_method_finds_planted_polar_domains():
    columns, domain = ferroelectric()
    result = side_by_side(
        columns, describe=partial(neighbor_vectors, center=1, neighbors=0), truth={"domain": domain}
    )
    assert [e.method for e in result.embeddings] == ["pca", "vae"]
    assert [c.method for c in result.clusterings] == ["kmeans_vectors", "kmeans_angles"]
    assert [row["method"] for row in result.rows] == ["pca", "vae", "kmeans_vectors", "kmeans_angles"]
    assert min(row["truth_ari_domain"] for row in result.rows) > 0.95
    assert set(result.columns["sublattice"]) == {0, 1}
    assert result.lattice.k == 4
    # Two planted domains are a linear matter, and the VAE says so.
    assert len(result.notes) == 1
    assert "nothing beyond a linear model" in result.notes[0]
    for e in result.embeddings:
        np.testing.assert_array_equal(np.isfinite(e.latent).all(axis=1), result.vectors.valid)


def test_the_same_seed_gives_the_same_result():
    columns, _ = ferroelectric(side=9)
    first, second = side_by_side(columns), side_by_side(columns)
    np.testing.assert_array_equal(first.embeddings[1].latent, second.embeddings[1].latent)
    np.testing.assert_equal(first.rows, second.rows)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 13, 25])
def test_too_few_columns_give_notes_instead_of_errors(n):
    result = side_by_side(Columns(np.random.default_rng(n).uniform(0, 60, (n, 2)), (60, 60)))
    assert len(result.columns) == len(result.vectors) == n
    assert result.rows == []
    assert any("are needed" in note for note in result.notes)
    assert any("No lattice" in note for note in result.notes)


def test_a_perfect_crystal_has_nothing_to_tell_apart():
    a = np.stack(np.meshgrid(np.arange(12), np.arange(12), indexing="ij"), -1).reshape(-1, 2) * 16.0 + 8
    result = side_by_side(Columns(a, (200, 200)))
    assert result.vectors.valid.sum() == 100
    assert result.embeddings == result.clusterings == ()
    assert any("equal rows" in note for note in result.notes)


def test_without_a_lattice_the_rest_is_computed_and_said():
    yx = np.random.default_rng(0).uniform(0, 250, (200, 2))
    result = side_by_side(Columns(yx, (250, 250)))
    assert result.lattice is None
    assert "No lattice" in result.notes[0]
    assert len(result.rows) == 4


def test_methods_are_those_that_were_named():
    columns, domain = ferroelectric(side=12)
    result = side_by_side(
        columns,
        describe=partial(neighbor_vectors, center=1, neighbors=0),
        embedders={"ica": FastICA(2, whiten="unit-variance", random_state=0)},
        clusterers={"gmm": GaussianMixture(random_state=0), "hierarchical": NearestMeanTree()},
        truth={"domain": domain},
    )
    clusterings = ["gmm_vectors", "gmm_angles", "hierarchical_vectors", "hierarchical_angles"]
    assert [row["method"] for row in result.rows] == ["ica", *clusterings]
    found = {row["method"]: row["truth_ari_domain"] for row in result.rows}
    print(found)
    assert min(found["gmm_vectors"], found["hierarchical_vectors"]) > 0.95


def turned(n, amplitude, noise=0.05, seed=0):
    """Square neighborhoods (n, 8) in any orientation, sheared by `amplitude` (n,)."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0)
    vectors = SQUARE + amplitude[:, None, None] * (SQUARE @ [[0, 1], [0, 0]])
    return (vectors @ turn + noise * rng.normal(size=(n, 4, 2))).reshape(n, 8)


@pytest.mark.parametrize("n", [80, 500])
@pytest.mark.parametrize("invariance", [None, "rotation"])
def test_a_latent_that_knows_no_more_than_noise_has_collapsed(n, invariance):
    rng = np.random.default_rng(1)
    rows = turned(n, np.zeros(n)) if invariance else SQUARE.ravel() + 0.05 * rng.normal(size=(n, 8))
    found = embed(table(rows), VariationalAutoencoder(2, invariance=invariance), "it")
    print(f"{found.model.kl_} of {noise_information(n, 8):.3f} nats")
    (note,) = about_embedding(found)
    assert "The latent of it has collapsed" in note


def test_of_two_latents_for_one_mode_one_has_collapsed():
    n = 500
    rows = turned(n, 0.08 * np.random.default_rng(2).normal(size=n))
    found = embed(table(rows), VariationalAutoencoder(2, invariance="rotation"), "rvae")
    print(f"{found.model.kl_} of {noise_information(n, 8):.3f} nats")
    assert about_embedding(found)[0].startswith("Of the 2 latents of rvae 1 has collapsed")
    alone = embed(table(rows), VariationalAutoencoder(1, invariance="rotation"), "rvae")
    assert not any("collapsed" in note for note in about_embedding(alone))


def test_what_did_not_settle_says_so():
    rows = SQUARE.ravel() + np.random.default_rng(0).normal(size=(60, 8))
    found = embed(table(rows), FastICA(4, whiten="unit-variance", max_iter=2, random_state=0), "ica")
    assert "ica did not settle in 2 rounds" in about_embedding(found)[0]
