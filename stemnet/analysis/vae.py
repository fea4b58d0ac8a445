"""The variational autoencoder as a scikit-learn estimator, quick enough for a laptop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import cast

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from stemnet.errors import StemnetError
from stemnet.models.vae import VAE

EPOCH_BATCHES = 50  # an epoch of a large table visits this many batches, so that a fit stays seconds long
HELD_ROWS = 2000  # rows that judge an epoch
PCA_ROWS = 5000  # rows that the starting point is computed from
SCORE_DRAWS = 8  # posterior samples behind each row's evidence lower bound


class VariationalAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Non-linear embedding of rows or patches, beside PCA in one contract.

    Rows are centered and divided by one scale for all features, so that a
    feature of pure noise is not blown up. The network starts as probabilistic
    PCA of the data and is trained on the evidence lower bound (ELBO); the state
    of the best held-out ELBO is kept. The global random state is not touched.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    invariance : None
        Reserved for latents of rotation and translation.
    hidden : tuple of int
        Widths of the hidden layers.
    beta : float
        Weight of the Kullback-Leibler term; above 1 presses for fewer, plainer
        latents.
    max_epochs : int
        Upper limit of passes; of a large table a pass visits 50 batches.
    batch_size : int
    learning_rate : float
        Of the Adam optimizer.
    validation_fraction : float
        Share of the rows held out to stop the training.
    patience : int
        Epochs without a better held-out ELBO before it stops.
    random_state : int, RandomState or None
    device : str
        Where to train, in PyTorch's words (``cpu``, ``cuda``).

    Attributes
    ----------
    model_ : VAE
        The trained network, in float64 on the CPU, for standardized rows.
    mean_ : ndarray, shape (D,)
        Mean row, in the data's unit.
    scale_ : float
        What the centered rows were divided by, in the data's unit.
    noise_ : float
        Learned standard deviation of the residuals, in the data's unit.
    kl_ : ndarray, shape (n_components,)
        Mean information in each latent [nats]; near 0 where it has collapsed.
    validation_score_ : float
        Best held-out ELBO per row, in the standardized unit [nats].
    stayed_linear_ : bool
        True if no training step improved on the linear start, so that the
        latents are those of probabilistic PCA.
    n_iter_ : int
        Epochs run.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        invariance: str | None = None,
        hidden: tuple[int, ...] = (64, 64),
        beta: float = 1.0,
        max_epochs: int = 100,
        batch_size: int = 256,
        learning_rate: float = 2e-3,
        validation_fraction: float = 0.15,
        patience: int = 15,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "cpu",
    ) -> None:
        self.n_components = n_components
        self.invariance = invariance
        self.hidden = hidden
        self.beta = beta
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.device = device

    def fit(self, X, y=None) -> VariationalAutoencoder:
        """Train on X, shape (N, D) or (N, H, W); `y` is ignored.

        Raises
        ------
        StemnetError
            If an invariance is asked for.
        ValueError
            If X has fewer than two rows, or NaN.
        """
        if self.invariance is not None:
            raise StemnetError(
                f"invariance={self.invariance!r} was asked for; this version has the plain autoencoder only. "
                "Leave invariance=None."
            )
        X = self._rows(X, reset=True)
        self.mean_ = X.mean(axis=0)
        self.scale_ = float(np.sqrt(X.var(axis=0).mean())) or 1.0
        standard = (X - self.mean_) / self.scale_
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            model = VAE(self.n_features_in_, self.n_components, tuple(self.hidden))
            _start_as_pca(model, standard)
            self._train(model, torch.as_tensor(standard, dtype=torch.float32), seed)
            self.model_ = model.cpu().double().eval()
            self.noise_ = self.scale_ * math.exp(0.5 * model.log_noise.item())
            divergence = self._evidence(standard)[1]
        self.kl_ = divergence.mean(axis=0)
        self._n_features_out = self.n_components
        return self

    def transform(self, X) -> np.ndarray:
        """Posterior means, shape (N, n_components)."""
        check_is_fitted(self)
        standard = (self._rows(X) - self.mean_) / self.scale_
        with torch.no_grad(), one_thread():
            return self.model_.encode(torch.from_numpy(standard))[0].numpy()

    def inverse_transform(self, X) -> np.ndarray:
        """Decoded rows (N, D), or (N, H, W) if fitted on patches, of latents X (N, n_components)."""
        check_is_fitted(self)
        latent = torch.from_numpy(check_array(X, dtype=np.float64))
        with torch.no_grad(), one_thread():
            rows = self.model_.decode(latent).numpy() * self.scale_ + self.mean_
        return rows.reshape(-1, *self.row_shape_)

    def sample(self, n_samples: int = 1) -> np.ndarray:
        """Rows decoded from the prior, without the residual noise."""
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        return self.inverse_transform(random.standard_normal((n_samples, self.n_components)))

    def score(self, X, y=None) -> float:
        """Mean ELBO per row [nats], in the data's unit; `y` is ignored."""
        check_is_fitted(self)
        with one_thread():
            likelihood, divergence = self._evidence((self._rows(X) - self.mean_) / self.scale_)
        per_row = likelihood - divergence.sum(axis=1)
        return float(per_row.mean() - self.n_features_in_ * math.log(self.scale_))

    def _rows(self, X, reset: bool = False) -> np.ndarray:
        """X as (N, D) float64, checked."""
        patch = X.shape[1:] if isinstance(X, np.ndarray) and X.ndim == 3 else None
        if patch is not None:
            X = X.reshape(len(X), -1)
        rows = validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)
        if reset:
            self.row_shape_ = patch or rows.shape[1:]
        return rows

    def _evidence(self, standard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood (N,) and divergence (N, d) of standardized rows, over fixed posterior samples."""
        x = torch.from_numpy(standard)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            draws = [
                self.model_(
                    x, torch.randn(len(x), self.n_components, generator=generator, dtype=torch.float64)
                )
                for _ in range(SCORE_DRAWS)
            ]
        return torch.stack([likelihood for likelihood, _ in draws]).mean(0).numpy(), draws[0][1].numpy()

    def _train(self, model: VAE, x: torch.Tensor, seed: int) -> None:
        model.to(self.device)
        x = x.to(self.device)
        generator = torch.Generator(self.device).manual_seed(seed)

        def normal(n):
            return torch.randn(n, self.n_components, generator=generator, device=self.device)

        order = torch.randperm(len(x), generator=generator, device=self.device)
        n_held = min(int(self.validation_fraction * len(x)), HELD_ROWS)
        # with few rows nothing can be spared: the training rows then judge themselves
        held, x = (x[order[:n_held]], x[order[n_held:]]) if n_held >= 10 else (x, x)
        held_noise = normal(len(held))
        optimizer = torch.optim.Adam(model.parameters(), lr=self.learning_rate, fused=True)

        def held_out() -> float:
            with torch.no_grad():
                likelihood, divergence = model(held, held_noise)
                return float((likelihood - self.beta * divergence.sum(dim=1)).mean())

        best, best_epoch, best_state = held_out(), 0, deepcopy(model.state_dict())
        self.n_iter_ = 0
        for epoch in range(1, self.max_epochs + 1):
            order = torch.randperm(len(x), generator=generator, device=self.device)
            for rows in order.split(self.batch_size)[:EPOCH_BATCHES]:
                likelihood, divergence = model(x[rows], normal(len(rows)))
                loss = (self.beta * divergence.sum(dim=1) - likelihood).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            self.n_iter_ = epoch
            now = held_out()
            if now > best:
                best, best_epoch, best_state = now, epoch, deepcopy(model.state_dict())
            elif epoch - best_epoch >= self.patience:
                break
        model.load_state_dict(best_state)
        self.validation_score_ = best
        self.stayed_linear_ = best_epoch == 0


def _start_as_pca(model: VAE, standard: np.ndarray) -> None:
    """Set linear maps, posterior widths and noise as in probabilistic PCA (Tipping and Bishop, 1999)."""
    standard = standard[:: -(-len(standard) // PCA_ROWS)]
    n, features = standard.shape
    d = model.encoder_linear.out_features
    _, singular, axes = np.linalg.svd(standard, full_matrices=False)
    variance = np.zeros(d)
    known = min(d, len(singular))
    variance[:known] = singular[:known] ** 2 / n
    directions = np.zeros((d, features))
    directions[:known] = axes[:known]
    rest = (singular[known:] ** 2).sum() / n / max(features - known, 1)
    noise = max(rest, 1e-4)
    signal = np.maximum(variance, 1.01 * noise)
    loadings = directions * np.sqrt(signal - noise)[:, None]
    with torch.no_grad():
        model.decoder_linear.weight.copy_(torch.from_numpy(loadings.T))
        model.decoder_linear.bias.zero_()
        model.encoder_linear.weight.copy_(torch.from_numpy(loadings / signal[:, None]))
        model.encoder_linear.bias.zero_()
        last = cast(torch.nn.Linear, model.encoder[-1])
        last.bias[d:].copy_(torch.from_numpy(np.log(noise / signal)))
        model.log_noise.fill_(math.log(noise))


@contextmanager
def one_thread() -> Iterator[None]:
    """Run small networks on one thread, where more only wait for each other; the setting is restored."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
