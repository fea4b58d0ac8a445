"""The contest: methods win where they should, and lose where they should."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from stemnet.analysis import VariationalAutoencoder, contest_worlds
from stemnet.analysis.contest import contest, contest_verdict, intervals
from stemnet.analysis.contest_crystals import position_noise
from stemnet.analysis.contest_trial import Contestant, tried

METHODS = {
    one.name: one
    for one in (
        Contestant("PCA", lambda latent, k, seed: PCA(latent, random_state=seed)),
        Contestant("k-means", lambda latent, k, seed: KMeans(k, n_init=5, random_state=seed), labels=True),
        Contestant("angles", lambda latent, k, seed: KMeans(k, n_init=5, random_state=seed), True, "angles"),
        Contestant(
            "GMM", lambda latent, k, seed: GaussianMixture(k, n_init=5, random_state=seed), labels=True
        ),
        Contestant("VAE", lambda latent, k, seed: VariationalAutoencoder(latent, random_state=seed)),
        Contestant(
            "rVAE",
            lambda latent, k, seed: VariationalAutoencoder(latent, invariance="rotation", random_state=seed),
            sees="shaped",
        ),
    )
}


def scores(make, methods, seeds=1):
    """Rows of methods on a world, and the world."""
    rows = []
    for seed in range(seeds):
        first, second = (make(np.random.default_rng([seed, image])) for image in (0, 1))
        rows += contest(first, second, [METHODS[name] for name in methods], seed=seed)
    return rows, first


def answers(make, methods):
    """The number that answers a world's question, by method."""
    rows, world = scores(make, methods)
    found = {str(row["method"]): row[world.question.score] for row in rows}
    print(world.name, {name: round(value, 3) for name, value in found.items()})
    return found


def test_linear_distortions_belong_to_pca_and_the_autoencoder_adds_nothing():
    found = answers(contest_worlds.linear_distortions, ["PCA", "k-means", "VAE"])
    assert found["PCA"] > 0.87
    assert abs(found["VAE"] - found["PCA"]) < 0.01
    assert found["k-means"] < 0.6


def test_phases_that_two_latents_do_not_hold_belong_to_clusterings():
    found = answers(contest_worlds.discrete_phases, ["PCA", "k-means", "GMM"])
    assert min(found["k-means"], found["GMM"]) > 0.92
    assert found["PCA"] < 0.85


def test_turned_domains_are_found_by_the_invariant_autoencoder_alone():
    rows, _ = scores(contest_worlds.turned_domains, ["PCA", "k-means", "angles", "rVAE"])
    found = {row["method"]: row["ari_other"] for row in rows}
    rvae = rows[-1]
    print(found, rvae["angle_error_deg"])
    assert found["rVAE"] > 0.97
    assert max(found["PCA"], found["k-means"]) < 0.2
    assert found["angles"] < 0.7
    assert rvae["angle_error_deg"] < 3
    assert rvae["angle_error_median_deg"] < 0.8


def test_a_bent_path_leaves_pca_no_room_for_the_stretch():
    rows, _ = scores(contest_worlds.transition_path, ["PCA", "VAE"])
    pca, vae = rows
    print(pca["r2_neighbors_stretch"], vae["r2_neighbors_stretch"])
    assert min(pca["r2_neighbors_path"], vae["r2_neighbors_path"]) > 0.93
    assert pca["r2_neighbors_stretch"] < 0.2
    assert vae["r2_neighbors_stretch"] > 0.85


def test_rare_defects_are_found_by_the_mixture_alone():
    found = answers(contest_worlds.rare_defects, ["PCA", "k-means", "GMM"])
    assert found["GMM"] > 0.9
    assert max(found["PCA"], found["k-means"]) < 0.2


def test_composition_is_linear_and_no_cluster():
    found = answers(contest_worlds.composition_gradient, ["PCA", "k-means", "rVAE"])
    assert min(found["PCA"], found["rVAE"]) > 0.85
    assert found["k-means"] < 0.65


@pytest.mark.parametrize(
    "name",
    [
        "linear_distortions",
        "discrete_phases",
        "turned_domains",
        "transition_path",
        "rare_defects",
        "composition_gradient",
    ],
)
def test_a_world_is_a_function_of_its_generator(name):
    make = getattr(contest_worlds, name)
    one, same, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.rows, same.rows)
    assert (one.rows != other.rows).mean() > 0.2
    assert len(one) == len(one.yx) == len(one.vectors)
    assert all(len(values) == len(one) for values in (one.labels | one.variables).values())
    assert np.isfinite(one.rows).all()


def test_vectors_carry_the_noise_of_the_dose():
    quiet, loud = (
        contest_worlds.linear_distortions(np.random.default_rng(0), dose) for dose in (1e9, 1000.0)
    )
    # a vector has the errors of both of its ends
    assert (loud.rows - quiet.rows).std() == pytest.approx(np.sqrt(2) * position_noise(1000.0), rel=0.05)


def test_the_same_seed_gives_the_same_numbers():
    one, two = (scores(contest_worlds.linear_distortions, ["k-means", "VAE"])[0] for _ in range(2))
    for a, b in zip(one, two, strict=True):
        timed = {"wall_s", "cpu_s"}
        np.testing.assert_equal(
            {k: v for k, v in a.items() if k not in timed}, {k: v for k, v in b.items() if k not in timed}
        )


def test_a_row_has_all_numbers_and_seeds_become_intervals():
    rows, world = scores(contest_worlds.linear_distortions, ["PCA", "k-means"], seeds=2)
    pca, kmeans = rows[:2]
    assert pca["error_held_out"] == pytest.approx(pca["error_train"], rel=0.08)
    assert pca["explained_other"] == pytest.approx(pca["explained_held_out"], abs=0.05)
    assert pca["subspace_angle_deg"] < 5
    assert pca["information_nats"] > 0.9
    assert pca["information_gap"] > 0.4
    assert pca["trustworthiness"] > 0.9
    assert pca["moran_z"] > 20
    assert pca["stability"] > 0.99
    assert np.isnan(kmeans["information_nats"])
    assert np.isnan(kmeans["trustworthiness"])
    assert 0 < pca["cpu_s"] < 5
    found = intervals(rows, world.name, "r2_linear")
    assert list(found) == ["PCA", "k-means"]
    assert found["PCA"].low < found["PCA"].value < found["PCA"].high
    said = contest_verdict(rows, world.name, world.question)
    assert said.startswith("PCA")
    assert "the two modes" in said


def test_rows_held_out_are_the_same_for_all_methods():
    first, second = (contest_worlds.rare_defects(np.random.default_rng([0, image])) for image in (0, 1))
    one, two = (tried(METHODS[name], first, second, 2, 5) for name in ("PCA", "GMM"))
    np.testing.assert_array_equal(one.held, two.held)
    assert not set(one.train) & set(one.held)
    assert len(one.train) + len(one.held) == len(first)
