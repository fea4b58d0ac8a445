"""The methods of the contest, each as it would be used: two latents, or as many clusters as there are classes."""

from __future__ import annotations

from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, FastICA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline

from stemnet.analysis import DomainMixture, NearestMeanTree, NonNegativeParts, VariationalAutoencoder
from stemnet.analysis.contest_trial import Contestant

MOST = 16
"""Numbers a row that a mixture of Gaussians with full covariances takes; of longer rows, principal components."""


class FewNumbers(PCA):
    """Rows as they are where they are short, else their first `MOST` principal components."""

    def fit(self, X, y=None):
        """Learn from rows (N, D); `y` is ignored."""
        self.n_components = min(MOST, *X.shape)
        return super().fit(X)


def mixture(latent: int, clusters: int, seed: int) -> Pipeline:
    """Gaussians of any shape."""
    gaussians = GaussianMixture(clusters, n_init=5, random_state=seed)
    return Pipeline([("few", FewNumbers(random_state=seed)), ("mixture", gaussians)])


class Placed(DomainMixture):
    """Told by the first two numbers of a row where it belongs."""

    def fit(self, X, y=None):
        """Learn from rows (N, 2 + D); `y` is ignored."""
        return super().fit(X[:, 2:], places=X[:, :2])

    def predict(self, X):
        """Labels (N,) of rows (N, 2 + D)."""
        return super().predict(X[:, 2:], X[:, :2])


CONTESTANTS = (
    Contestant("PCA", lambda latent, clusters, seed: PCA(latent, random_state=seed)),
    Contestant("NMF", lambda latent, clusters, seed: NonNegativeParts(latent, random_state=seed)),
    Contestant(
        "ICA",
        lambda latent, clusters, seed: FastICA(latent, whiten_solver="svd", max_iter=1000, random_state=seed),
    ),
    Contestant(
        "k-means", lambda latent, clusters, seed: KMeans(clusters, n_init=10, random_state=seed), labels=True
    ),
    Contestant(
        "k-means (angles)",
        lambda latent, clusters, seed: KMeans(clusters, n_init=10, random_state=seed),
        labels=True,
        sees="angles",
    ),
    Contestant("GMM", mixture, labels=True),
    Contestant(
        "hierarchical",
        lambda latent, clusters, seed: NearestMeanTree(clusters, random_state=seed),
        labels=True,
    ),
    Contestant("VAE", lambda latent, clusters, seed: VariationalAutoencoder(latent, random_state=seed)),
    Contestant(
        "rVAE",
        lambda latent, clusters, seed: VariationalAutoencoder(
            latent, invariance="rotation", random_state=seed
        ),
        sees="shaped",
    ),
)
"""Nine; rVAE is the autoencoder that does not see how a neighborhood is turned."""

DOMAINS = Contestant(
    "domains",
    lambda latent, clusters, seed: Placed(clusters, random_state=seed),
    labels=True,
    sees="placed",
)
"""Knows more than the nine, where a neighborhood is: it is asked about the frozen examples alone, beside them."""
