import csv

import numpy as np
import pytest
from planted import polar_and_shear, table, two_domains
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from stemnet.analysis import cluster, compare, embed, write_comparison
from stemnet.analysis.latent_agreement import canonical_correlation
from stemnet.analysis.maps import morans_i

KMEANS = KMeans(n_init=5, random_state=0)


def test_planted_domains_score_near_one_for_the_methods_that_see_them():
    rows, label = two_domains()
    descriptors = table(rows, invalid=[3, 50])
    scores = compare(
        [embed(descriptors, PCA(2))],
        [cluster(descriptors, KMEANS, method="kmeans")],
        truth={"domain": label, "shift": label * 0.5 - 0.25},
    )
    pca, kmeans = scores
    assert [row["method"] for row in scores] == ["pca", "kmeans"]
    assert pca["rows"] == kmeans["rows"] == 398
    assert kmeans["truth_ari_domain"] > 0.95
    assert pca["truth_nmi_domain"] > 0.9
    assert pca["truth_r2_shift"] > 0.95
    assert pca["truth_corr_shift"] > 0.97
    assert kmeans["stability"] > 0.95
    assert pca["ari_kmeans"] == kmeans["ari_pca"] > 0.95
    assert np.isnan(pca["ari_pca"])
    assert np.isnan(kmeans["explained_variance"])
    assert min(pca["moran_i"], kmeans["moran_i"]) > 0.4
    assert pca["error_held_out"] == pytest.approx(0.05, rel=0.15)
    assert kmeans["error_held_out"] == pytest.approx(0.05, rel=0.1)
    assert pca["unit"] == "A"


def test_two_planted_modes_are_stable_and_their_held_out_error_is_the_noise():
    rows, amplitude, _ = polar_and_shear(n=1000)
    (row,) = compare([embed(table(rows), PCA(2))], [], truth={"polar": amplitude[:, 0]})
    assert row["stability"] > 0.99
    assert row["error_train"] <= row["error_held_out"] < 1.05 * row["error_train"]
    assert row["truth_corr_polar"] > 0.98


def test_unknown_truth_is_left_out():
    rows, label = two_domains()
    found = cluster(table(rows), KMEANS)
    (all_known,) = compare([], [found], truth={"domain": label})
    partly = label.copy()
    partly[::3] = -1
    (some_known,) = compare([], [found], truth={"domain": partly, "nothing": np.full(400, np.nan)})
    assert some_known["truth_ari_domain"] == pytest.approx(all_known["truth_ari_domain"], abs=0.05)
    assert np.isnan(some_known["truth_r2_nothing"])


def test_the_same_seed_gives_the_same_table_and_the_file_holds_it(tmp_path):
    rows, _ = two_domains()
    found = [embed(table(rows), PCA(2))], [cluster(table(rows), KMEANS)]
    first, second = compare(*found), compare(*found)
    np.testing.assert_equal(first, second)
    write_comparison(tmp_path / "comparison.csv", first)
    with open(tmp_path / "comparison.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["method"] for row in read] == ["pca", "kmeans"]
    assert float(read[1]["silhouette"]) == pytest.approx(first[1]["silhouette"], rel=1e-4)
    assert read[0]["ari_pca"] == "nan"


def test_no_methods_make_an_empty_table_with_a_header(tmp_path):
    write_comparison(tmp_path / "comparison.csv", compare([], []))
    assert (tmp_path / "comparison.csv").read_text().strip() == "method"


def test_canonical_correlation_ignores_linear_maps_and_sees_collapse():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(500, 2))
    assert canonical_correlation(latent, latent @ [[2.0, 1.0], [0.0, -3.0]]) == pytest.approx(1.0)
    assert canonical_correlation(latent, latent[:, :1] @ [[1.0, 1.0]]) == pytest.approx(0.5)
    assert canonical_correlation(latent, rng.normal(size=(500, 2))) < 0.2


def test_morans_i_is_high_on_smooth_maps_and_nothing_on_noise():
    yx = np.stack(np.divmod(np.arange(900), 30), axis=1) * 10.0
    smooth, z = morans_i(np.sin(yx[:, :1] / 60), yx)
    assert smooth > 0.8
    assert z > 20
    rough, z = morans_i(np.random.default_rng(0).normal(size=(900, 2)), yx)
    assert abs(rough) < 0.1
    assert abs(z) < 4
    assert np.isnan(morans_i(np.ones((900, 1)), yx)[0])
