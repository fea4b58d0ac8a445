import numpy as np
import pytest
from planted import polar_and_shear, table, two_domains
from scipy.linalg import subspace_angles
from sklearn.decomposition import NMF, PCA

from stemnet.analysis import VariationalAutoencoder, embed
from stemnet.errors import StemnetError


def test_pca_finds_a_planted_polar_shift_and_shear():
    rows, amplitude, modes = polar_and_shear()
    found = embed(table(rows), PCA(2))
    assert np.degrees(subspace_angles(found.model.components_.T, modes.T).max()) < 2
    assert abs(np.corrcoef(found.latent[:, 0], amplitude[:, 0])[0, 1]) > 0.98
    assert found.explained_variance_ratio.sum() > 0.9
    assert found.reconstruction_error == pytest.approx(0.02 * np.sqrt(6 / 8), rel=0.1)


def test_rows_that_are_not_valid_are_masked_and_never_matter():
    rows, _, _ = polar_and_shear()
    gaps = [0, 7, 399]
    masked = embed(table(rows, invalid=gaps), PCA(2))
    assert np.isnan(masked.latent[gaps]).all()
    kept = np.delete(np.arange(400), gaps)
    alone = embed(table(rows[kept]), PCA(2))
    np.testing.assert_allclose(masked.latent[kept], alone.latent, atol=1e-9)


def test_permuted_columns_permute_the_latents():
    rows, _, _ = polar_and_shear()
    order = np.random.default_rng(3).permutation(400)
    straight, shuffled = embed(table(rows), PCA(2)), embed(table(rows[order]), PCA(2))
    np.testing.assert_allclose(shuffled.latent, straight.latent[order], atol=1e-8)


def test_any_transformer_serves_and_the_prototype_stays_unfitted():
    rows, _ = two_domains()
    prototype = VariationalAutoencoder(max_epochs=3)
    found = embed(table(rows), prototype, method="vae")
    assert found.method == "vae"
    assert found.latent.shape == (400, 2)
    assert not hasattr(prototype, "model_")


@pytest.mark.parametrize(
    ("rows", "word"),
    [(np.zeros((0, 8)), "0 complete"), (np.eye(2, 8), "2 complete"), (np.ones((50, 8)), "equal rows")],
)
def test_what_cannot_be_embedded_gets_a_sentence(rows, word):
    with pytest.raises(StemnetError, match=word):
        embed(table(rows), PCA(2))


def test_a_method_that_cannot_take_the_rows_says_why_in_a_sentence():
    signed = table(np.random.default_rng(0).normal(size=(30, 6)))
    with pytest.raises(StemnetError, match=r"nmf cannot be fitted to 30 rows of 6 numbers .*[Nn]egative"):
        embed(signed, NMF(2), "nmf")
