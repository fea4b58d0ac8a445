from functools import partial

import numpy as np
import pytest
from planted import SQUARE, table
from sklearn.decomposition import PCA, FastICA
from sklearn.mixture import GaussianMixture

from stemnet.analysis import NearestMeanTree, VariationalAutoencoder, embed, side_by_side
from stemnet.analysis.described import holds_vectors, standardized
from stemnet.analysis.road import about_embedding, noise_information
from stemnet.columns import Columns
from stemnet.descriptors import neighbor_vectors
from stemnet.descriptors.bond_orientation import bond_orientation
from stemnet.descriptors.coordination import coordination
from stemnet.descriptors.order_free import order_free
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.voronoi import voronoi_area


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


def bicrystal(seed=0):
    """A square lattice, beside it a hexagonal one with as much room, at an angle; which is which."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(-40, 41)] * 2, indexing="ij"), -1).reshape(-1, 2)
    parts, kinds = [], []
    for kind, (cell, angle) in enumerate(
        ((np.eye(2), 0.3), (np.array([[1.0, 0.0], [0.5, 3**0.5 / 2]]) * (2 / 3**0.5) ** 0.5, 0.9))
    ):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        yx = grid @ (16.0 * cell @ turn) + 200
        mine = (yx > 0).all(1) & (yx < 400).all(1) & ((yx[:, 1] < 195) if kind == 0 else (yx[:, 1] > 205))
        parts.append(yx[mine] + rng.normal(0, 0.25, (mine.sum(), 2)))
        kinds.append(np.full(mine.sum(), kind))
    return Columns(np.concatenate(parts), (400, 400), 0.1), np.concatenate(kinds)


@pytest.mark.parametrize("describe", [order_free, partial(bond_orientation, form="magnitude")])
def test_numbers_that_are_no_vectors_are_embedded_and_clustered_too(describe):
    columns, kind = bicrystal()
    result = side_by_side(
        columns, describe=describe, clusters=2, embedders={"pca": PCA(2)}, truth={"phase": kind}
    )
    assert [c.method for c in result.clusterings] == ["kmeans_descriptors", "kmeans_angles"]
    scores = {row["method"]: row["truth_ari_phase"] for row in result.rows}
    print(scores)
    assert scores["pca"] > 0.7
    # rows are columns, masked ones too
    table, embedding = result.described, result.embeddings[0]
    assert len(table) == len(columns) == len(embedding.latent)
    assert 0 < (~table.valid).sum() < len(columns) / 2
    np.testing.assert_array_equal(np.isnan(embedding.latent).all(axis=1), ~table.valid)
    np.testing.assert_array_equal(np.isnan(table.values).all(axis=1), ~table.valid)
    np.testing.assert_array_equal(result.clusterings[0].labels == -1, ~table.valid)


@pytest.mark.parametrize("describe", [order_free, bond_orientation, voronoi_area, coordination])
def test_every_description_goes_the_whole_way_whatever_the_order_of_the_columns(describe):
    columns, _ = ferroelectric(side=9)
    order = np.random.default_rng(1).permutation(len(columns))
    one, other = (
        side_by_side(some, describe=describe, embedders={"pca": PCA(2)})
        for some in (columns, columns.select(order))
    )
    assert [e.method for e in one.embeddings] == ["pca"]
    np.testing.assert_allclose(
        np.abs(other.embeddings[0].latent), np.abs(one.embeddings[0].latent[order]), atol=1e-6
    )
    few = side_by_side(columns.select(np.arange(3)), describe=describe)
    assert few.rows == []
    assert len(few.described) == 3
    assert few.notes


def test_numbers_of_different_units_count_alike_and_constant_ones_not_at_all():
    values = np.array([[1e6, 0.1, 5], [2e6, 0.3, 5], [3e6, 0.2, 5], [np.nan] * 3])
    table_ = Descriptors(values, ("a_A2", "b_1", "c_1"), np.zeros((4, 2)), np.array([True] * 3 + [False]))
    found = standardized(table_)
    np.testing.assert_allclose(found.complete.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.complete.std(axis=0), [1, 1, 0])
    assert np.isnan(found.values[3]).all()
    assert not holds_vectors(found)
    assert holds_vectors(neighbor_vectors(ferroelectric(side=9)[0]))
