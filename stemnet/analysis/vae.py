"""The variational autoencoder as a scikit-learn estimator, quick enough for a laptop."""

from __future__ import annotations

import math
import os
from dataclasses import fields

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted
from torch import Tensor

from stemnet.analysis.vae_fed import Fed
from stemnet.analysis.vae_file import Filed
from stemnet.analysis.vae_pose import RowPose, fold, named_pose
from stemnet.analysis.vae_rows import prepared
from stemnet.analysis.vae_start import network, started
from stemnet.analysis.vae_told import Conditions
from stemnet.errors import StemnetError
from stemnet.models.elbo import Trainer, evidence, one_thread, train
from stemnet.models.rotating_vae import RotatingVAE
from stemnet.models.schedule import EPOCH_BATCHES, HELD_ROWS, Schedule
from stemnet.models.vae import VAE

TOLD_ROWS = 10000
"""Rows that say how much information a latent carries."""


def _has_classes(model: VariationalAutoencoder) -> bool:
    return bool(model.n_classes)


class VariationalAutoencoder(Filed, Fed, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Non-linear embedding of rows or patches, beside PCA in one contract.

    Rows are centered and divided by one scale for all features, so that a
    feature of pure noise is not blown up. The network starts as probabilistic
    PCA of the data and is trained on the evidence lower bound (ELBO); the state
    of the best held-out ELBO is kept. The global random state is not touched.

    With an invariance, the latent says what a row is like whatever its angle
    (and shift, and scale), and `pose` says how it lies. Rows are patches
    (N, H, H), of which the disk counts, or vectors (N, 2 k), (y, x) after
    (y, x); see `stemnet.models.rotating_vae`. With classes, rows fall into
    that many kinds, each with a mean row of its own, and the latent says how
    they vary within; see `stemnet.models.family`.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    invariance : None, "rotation", "rotation+translation", "rotation+scale" or "rotation+translation+scale"
    n_classes : int
        Discrete classes beside the latent; 0 for none.
    patch_shape : tuple of int or None
        Rows and columns of patches that come flat, as rows of a table.
    likelihood : {"gaussian", "bernoulli"}
        Of the numbers: normal with a variance that is learned, or shares
        between 0 and 1.
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
        Most epochs, each a pass over the rows; of few rows one of at least ten steps, in smaller batches and, of
        fewer than some 300, several passes, so that patience means the same for tables of all lengths.
    epoch_batches : int or None
        Most batches of an epoch, so that a large table takes seconds; None for all rows.
    batch_size : int
        Most rows of a batch.
    learning_rate : float
        Of the AdamW optimizer.
    weight_decay : float
        Of the optimizer; 0 makes it Adam.
    validation_fraction : float
        Share of the rows held out to stop the training.
    held_rows : int
        Most rows that are held out for it.
    patience : int
        Epochs without a better held-out ELBO before it stops.
    random_state : int, RandomState or None
    device : str
        Where to train, in PyTorch's words (``cpu``, ``cuda``).
    weights : str, path or None
        File of a trained autoencoder: `fit` then takes what it holds and trains nothing. See `of`.

    Attributes
    ----------
    model_ : VAE or RotatingVAE
        The trained network, in float64 on the CPU, for prepared rows.
    conditions_ : Conditions
        What makes conditions ready for it.
    prepared_ : PlainRows, Shares, TurningPatches or TurningVectors
        What makes rows ready for it.
    fold_ : int
        Angles are known to a multiple of 2 pi / fold_ only, what is decoded being that symmetric; 1 without an
        invariance.
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
        n_classes: int = 0,
        patch_shape: tuple[int, int] | None = None,
        likelihood: str = "gaussian",
        hidden: tuple[int, ...] = (64, 64),
        beta: float = 1.0,
        warm_up: int = 0,
        free_nats: float = 0.0,
        max_epochs: int = 100,
        epoch_batches: int | None = EPOCH_BATCHES,
        batch_size: int = 256,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.0,
        validation_fraction: float = 0.15,
        held_rows: int = HELD_ROWS,
        patience: int = 15,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "cpu",
        weights: str | os.PathLike | None = None,
    ) -> None:
        self.n_components = n_components
        self.invariance = invariance
        self.n_classes = n_classes
        self.patch_shape = patch_shape
        self.likelihood = likelihood
        self.hidden = hidden
        self.beta = beta
        self.warm_up = warm_up
        self.free_nats = free_nats
        self.max_epochs = max_epochs
        self.epoch_batches = epoch_batches
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.held_rows = held_rows
        self.patience = patience
        self.random_state = random_state
        self.device = device
        self.weights = weights

    def fit(self, X, y=None, condition=None) -> VariationalAutoencoder:
        """Train on rows.

        Parameters
        ----------
        X : array_like, shape (N, D) or (N, H, W)
        y : array_like of int, shape (N,), optional
            Classes that are known, -1 where they are not; looked at only where
            there are classes.
        condition : array_like, shape (N,) or (N, C), optional
            Numbers that are told with each row (a composition, a dose), so that
            the latent need not say them. Give them to the other methods as well.

        Raises
        ------
        StemnetError
            If an option does not exist or does not fit the rows.
        ValueError
            If X has fewer than two rows, or NaN.
        """
        if self.weights is not None:
            return self._taken(X, condition)
        return self.fit_by(train, X, y, condition)

    def fit_by(self, trainer: Trainer, X, y=None, condition=None) -> VariationalAutoencoder:
        """Train on rows by a trainer of one's own, as `fit` does by `stemnet.models.elbo.train`.

        Parameters
        ----------
        trainer : callable
            Of the network at its start, rows (N, D), size of the latent, schedule, seed and device. Leaves the network
            in its best state.
        X, y, condition
            As `fit` takes them, and raises.
        """
        X = self._rows(X, reset=True)
        shape = tuple(self.patch_shape) if self.patch_shape else self.row_shape_
        self.prepared_ = prepared(X, shape, self.invariance, self.likelihood)
        self.conditions_ = Conditions.of(condition, len(X))
        rows = self._complete(X, condition, y if self.n_classes else None)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        known = rows[:, -1].long().numpy() if self.n_classes else np.full(len(rows), -1)
        end = rows.shape[1] - bool(self.n_classes)
        data, told = (
            part.numpy() for part in rows[:, :end].tensor_split([end - len(self.conditions_)], dim=1)
        )
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            model = started(self._network(data.shape[1]), data, known, seed, told if told.size else None)
        schedule = Schedule(**{one.name: getattr(self, one.name) for one in fields(Schedule)})
        trained = trainer(model, rows.float(), self.n_components, schedule, seed, self.device)
        self._finish(model, rows)
        self.validation_score_, self.n_iter_ = trained.score, trained.epochs
        self.stayed_linear_ = trained.best_epoch == 0
        return self

    def _network(self, features: int) -> VAE | RotatingVAE:
        """A network that fits, for prepared rows of so many numbers."""
        sizes = (self.n_components, tuple(self.hidden), len(self.conditions_), self.n_classes)
        return network(self.prepared_, str(self.invariance), features, sizes)

    def _finish(self, model: VAE | RotatingVAE, rows: Tensor) -> None:
        """Take a trained network, and what it says of rows."""
        self.model_ = model.cpu().double().eval()
        self.noise_ = self.prepared_.scale * math.exp(0.5 * model.log_noise.item())
        some = rows[:: -(-len(rows) // TOLD_ROWS)]
        with one_thread():
            self.fold_ = fold(model, self.n_components) if isinstance(model, RotatingVAE) else 1
            self.kl_ = evidence(self.model_, some, self.n_components, draws=1)[1].mean(dim=0).numpy()
        self._n_features_out = self.n_components

    def transform(self, X, condition=None) -> np.ndarray:
        """Posterior means, shape (N, n_components)."""
        return self.posterior(X, condition)[0]

    def posterior(self, X, condition=None) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of the latent, each (N, n_components), in the likeliest class."""
        rows = self._complete(X, condition)
        with torch.no_grad(), one_thread():
            data, context, offset = self._parts(rows)
            mean, log_variance = self.model_.encode(data, context, offset)
        return mean.numpy(), np.exp(0.5 * log_variance.numpy())

    @available_if(_has_classes)
    def predict_proba(self, X, condition=None) -> np.ndarray:
        """Probability of each class, (N, n_classes); there where there are classes."""
        rows = self._complete(X, condition)
        with torch.no_grad(), one_thread():
            return self.model_.probability(rows, self.n_components).numpy()

    @available_if(_has_classes)
    def predict(self, X, condition=None) -> np.ndarray:
        """The likeliest class of each row, (N,); there where there are classes."""
        return self.predict_proba(X, condition).argmax(axis=1)

    def pose(self, X, condition=None) -> RowPose:
        """How rows lie: angle, and shift and scale where the invariance names them.

        Raises
        ------
        StemnetError
            If the model was fitted without an invariance.
        """
        rows = self._complete(X, condition)
        if self.invariance is None:
            raise StemnetError(
                "A pose was asked of an autoencoder without invariance. Fit one with invariance='rotation'."
            )
        with torch.no_grad(), one_thread():
            data, context, offset = self._parts(rows)
            decoded = self.model_.decode(self.model_.encode(data, context, offset)[0], context, offset)
            return named_pose(self.model_.pose(data[:, :-1], decoded), self.invariance)

    def inverse_transform(self, X, condition=None, y=None) -> np.ndarray:
        """Decoded rows (N, D), or (N, H, W) if fitted on patches, of latents X (N, n_components).

        Without a condition it is that of the mean; without classes `y` (N,), the first.
        """
        check_is_fitted(self)
        latent = torch.from_numpy(check_array(X, dtype=np.float64))
        told = np.tile(self.conditions_.mean, (len(latent), 1)) if condition is None else condition
        standard = torch.from_numpy(self.conditions_(told, len(latent)))
        label = (
            torch.zeros(len(latent), dtype=torch.long) if y is None else torch.as_tensor(np.asarray(y)).long()
        )
        with torch.no_grad(), one_thread():
            context, offset = self._context(standard, label)
            rows = self.prepared_.back(self.model_.decode(latent, context, offset).numpy())
        return rows.reshape(-1, *self.row_shape_)

    def reconstruct(self, X, condition=None) -> np.ndarray:
        """Rows as the model has them, shape of X: decoded, and put into the pose of each."""
        rows = self._complete(X, condition)
        with torch.no_grad(), one_thread():
            data, context, offset = self._parts(rows)
            decoded = self.model_.decode(self.model_.encode(data, context, offset)[0], context, offset)
            if isinstance(self.model_, RotatingVAE):
                decoded = self.model_.posed(decoded, self.model_.pose(data[:, :-1], decoded))
        return self.prepared_.back(decoded.numpy()).reshape(-1, *self.row_shape_)

    def sample(self, n_samples: int = 1) -> np.ndarray:
        """Rows decoded from the prior, without the residual noise, in the orientation that is decoded."""
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        latent = random.standard_normal((n_samples, self.n_components))
        label = random.randint(self.n_classes, size=n_samples) if self.n_classes else None
        return self.inverse_transform(latent, y=label)

    def score(self, X, y=None, condition=None) -> float:
        """Mean ELBO per row [nats], in the data's unit; `y` is ignored.

        With patches and an invariance it is that of the pixels of the disk.
        """
        rows = self._complete(X, condition)
        with one_thread():
            likelihood, divergence = evidence(self.model_, rows, self.n_components)
        per_row = float((likelihood - divergence.sum(dim=1)).mean())
        return per_row - self.prepared_.values * math.log(self.prepared_.scale)
