"""The variational autoencoder as a scikit-learn estimator, quick enough for a laptop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from stemnet.analysis.elbo import Schedule, evidence, one_thread, train
from stemnet.analysis.vae_rows import PlainRows, prepared
from stemnet.analysis.vae_start import start_as_pca, start_upright
from stemnet.errors import StemnetError
from stemnet.models.rotating_vae import Pose, RotatingVAE
from stemnet.models.vae import VAE

SHIFT = 0.06
"""Standard deviation of a shift before a patch is seen, in parts of its side."""
GROWTH = 0.1
"""That of the logarithm of a scale."""


@dataclass(frozen=True)
class RowPose:
    """How rows lie, as far as it does not count for the latent.

    Parameters
    ----------
    angle, angle_sigma : ndarray, shape (N,)
        From +x towards +y, against the orientation that is decoded, and its
        posterior's standard deviation [rad].
    shift, shift_sigma : ndarray, shape (N, 2) or None
        (y, x) [px], before the rotation.
    log_scale, log_scale_sigma : ndarray, shape (N,) or None
    """

    angle: np.ndarray
    angle_sigma: np.ndarray
    shift: np.ndarray | None = None
    shift_sigma: np.ndarray | None = None
    log_scale: np.ndarray | None = None
    log_scale_sigma: np.ndarray | None = None


class VariationalAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Non-linear embedding of rows or patches, beside PCA in one contract.

    Rows are centered and divided by one scale for all features, so that a
    feature of pure noise is not blown up. The network starts as probabilistic
    PCA of the data and is trained on the evidence lower bound (ELBO); the state
    of the best held-out ELBO is kept. The global random state is not touched.

    With an invariance, the latent says what a row is like whatever its angle
    (and shift, and scale), and `pose` says how it lies. Rows are patches
    (N, H, H), of which the disk counts, or vectors (N, 2 k), (y, x) after
    (y, x); see `stemnet.models.rotating_vae`.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    invariance : None, "rotation", "rotation+translation", "rotation+scale" or "rotation+translation+scale"
    hidden : tuple of int
        Widths of the hidden layers.
    beta : float
        Weight of the Kullback-Leibler term; above 1 presses for fewer, plainer
        latents.
    warm_up : int
        Epochs in which the weight rises from 0 to beta.
    free_nats : float
        Information in each latent that costs nothing [nats]; keeps latents from
        collapsing.
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
    model_ : VAE or RotatingVAE
        The trained network, in float64 on the CPU, for prepared rows.
    prepared_ : PlainRows, TurningPatches or TurningVectors
        What makes rows ready for it.
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
        warm_up: int = 0,
        free_nats: float = 0.0,
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
        self.warm_up = warm_up
        self.free_nats = free_nats
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
            If the invariance does not exist or does not fit the rows.
        ValueError
            If X has fewer than two rows, or NaN.
        """
        X = self._rows(X, reset=True)
        self.prepared_ = prepared(X, self.row_shape_, self.invariance)
        rows = self.prepared_(X)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        schedule = Schedule(
            self.max_epochs,
            self.batch_size,
            self.learning_rate,
            self.validation_fraction,
            self.patience,
            self.beta,
            self.warm_up,
            self.free_nats,
        )
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            model = self._model(rows, seed)
            tensor = torch.as_tensor(rows, dtype=torch.float32)
            trained = train(model, tensor, self.n_components, schedule, seed, self.device)
            self.model_ = model.cpu().double().eval()
            self.noise_ = self.prepared_.scale * math.exp(0.5 * model.log_noise.item())
            self.kl_ = evidence(self.model_, torch.from_numpy(rows), self.n_components)[1].mean(dim=0).numpy()
        self.validation_score_, self.n_iter_ = trained.score, trained.epochs
        self.stayed_linear_ = trained.best_epoch == 0
        self._n_features_out = self.n_components
        return self

    def transform(self, X) -> np.ndarray:
        """Posterior means, shape (N, n_components)."""
        return self.posterior(X)[0]

    def posterior(self, X) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of the latent, each (N, n_components)."""
        numbers = self._numbers(X)
        with torch.no_grad(), one_thread():
            mean, log_variance = self.model_.encode(numbers)
        return mean.numpy(), np.exp(0.5 * log_variance.numpy())

    def pose(self, X) -> RowPose:
        """How rows lie: angle, and shift and scale where the invariance names them.

        Raises
        ------
        StemnetError
            If the model was fitted without an invariance.
        """
        check_is_fitted(self)
        if self.invariance is None:
            raise StemnetError(
                "A pose was asked of an autoencoder without invariance. Fit one with invariance='rotation'."
            )
        numbers = self._numbers(X)
        with torch.no_grad(), one_thread():
            found = self.model_.pose(numbers, self.model_.decode(self.model_.encode(numbers)[0]))
        return self._named(found)

    def inverse_transform(self, X) -> np.ndarray:
        """Decoded rows (N, D), or (N, H, W) if fitted on patches, of latents X (N, n_components)."""
        check_is_fitted(self)
        latent = torch.from_numpy(check_array(X, dtype=np.float64))
        with torch.no_grad(), one_thread():
            rows = self.prepared_.back(self.model_.decode(latent).numpy())
        return rows.reshape(-1, *self.row_shape_)

    def reconstruct(self, X) -> np.ndarray:
        """Rows as the model has them, shape of X: decoded, and put into the pose of each."""
        check_is_fitted(self)
        numbers = self._numbers(X)
        with torch.no_grad(), one_thread():
            decoded = self.model_.decode(self.model_.encode(numbers)[0])
            if isinstance(self.model_, RotatingVAE):
                decoded = self.model_.posed(decoded, self.model_.pose(numbers, decoded))
        return self.prepared_.back(decoded.numpy()).reshape(-1, *self.row_shape_)

    def sample(self, n_samples: int = 1) -> np.ndarray:
        """Rows decoded from the prior, without the residual noise, in the orientation that is decoded."""
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        return self.inverse_transform(random.standard_normal((n_samples, self.n_components)))

    def score(self, X, y=None) -> float:
        """Mean ELBO per row [nats], in the data's unit; `y` is ignored.

        With patches and an invariance it is that of the pixels of the disk.
        """
        check_is_fitted(self)
        rows = torch.from_numpy(self.prepared_(self._rows(X)))
        with one_thread():
            likelihood, divergence = evidence(self.model_, rows, self.n_components)
        per_row = float((likelihood - divergence.sum(dim=1)).mean())
        return per_row - self.prepared_.values * math.log(self.prepared_.scale)

    def _rows(self, X, reset: bool = False) -> np.ndarray:
        """X as (N, D) float64, checked."""
        patch = X.shape[1:] if isinstance(X, np.ndarray) and X.ndim == 3 else None
        if patch is not None:
            X = X.reshape(len(X), -1)
        rows = validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)
        if reset:
            self.row_shape_ = patch or rows.shape[1:]
        return rows

    def _numbers(self, X) -> torch.Tensor:
        """What the encoder is given."""
        check_is_fitted(self)
        rows = torch.from_numpy(self.prepared_(self._rows(X)))
        return rows if self.invariance is None else rows[:, :-1]

    def _model(self, rows: np.ndarray, seed: int) -> VAE | RotatingVAE:
        """A network at its start."""
        hidden, ready = tuple(self.hidden), self.prepared_
        if isinstance(ready, PlainRows):
            model = VAE(rows.shape[1], self.n_components, hidden)
            start_as_pca(model, rows)
            return model
        moves = ready.generators(str(self.invariance))
        spreads = [SHIFT * self.row_shape_[0]] * (2 if len(moves) > 1 else 0)
        spreads += [GROWTH] * (len(moves) - len(spreads))
        turning = RotatingVAE(
            torch.as_tensor(ready.orders),
            self.n_components,
            ready.values,
            hidden,
            torch.as_tensor(np.array(moves), dtype=torch.float32) if moves else None,
            spreads,
        )
        start_upright(turning, rows, np.random.default_rng(seed))
        return turning

    def _named(self, found: Pose) -> RowPose:
        """A pose by its names."""
        angle, moves, sigma = found.angle.numpy(), found.moves.numpy(), found.move_variance.sqrt().numpy()
        names = str(self.invariance)
        shifted, grown = "translation" in names, "scale" in names
        return RowPose(
            (angle + np.pi) % (2 * np.pi) - np.pi,
            np.minimum(found.angle_variance.sqrt().numpy(), np.pi / np.sqrt(3)),
            moves[:, :2] if shifted else None,
            sigma[:, :2] if shifted else None,
            moves[:, -1] if grown else None,
            sigma[:, -1] if grown else None,
        )
