"""The file of an autoencoder: all that embedding new rows needs, in one safetensors file with its card."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch

from stemnet.analysis.vae_rows import PlainRows, Prepared, Shares, TurningPatches, TurningVectors
from stemnet.analysis.vae_told import Conditions
from stemnet.errors import StemnetError
from stemnet.models import weights_file

FORMAT = "stemnet-autoencoder/1"
KINDS = {kind.__name__: kind for kind in (PlainRows, Shares, TurningPatches, TurningVectors)}
"""What may have made rows ready: looked up here, never imported from what a file says."""
KEPT = ("fold_", "noise_", "validation_score_", "stayed_linear_", "n_iter_", "n_features_in_")
HELD_TO = ("n_components", "invariance", "n_classes", "likelihood")
"""Settings that the weights of a file decide."""


@dataclass(frozen=True)
class VAECard:
    """What the file of an autoencoder says of itself, besides what it needs.

    Parameters
    ----------
    names : tuple of str
        Of the numbers of a row, with their units; none where they are not known.
    rows : mapping
        How rows were made of images.
    scores : mapping
        Measured on rows that no training saw.
    config : mapping
        The resolved training config.
    versions : mapping
        Of the libraries that trained it.
    """

    names: tuple[str, ...] = ()
    rows: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


class Filed:
    """What an autoencoder can do with files."""

    def save(self: Any, path: str | os.PathLike, card: VAECard | None = None) -> None:
        """Write what was fitted, with a card, to one safetensors file."""
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "model_")
        parameters = {name: value for name, value in self.get_params().items() if name != "weights"}
        if not isinstance(self.random_state, int | np.integer):
            parameters["random_state"] = None
        header = {
            "format": FORMAT,
            "parameters": _plain(parameters),
            "prepared": {"kind": type(self.prepared_).__name__, **_plain(_entries(self.prepared_))},
            "conditions": _plain(asdict(self.conditions_)),
            "fitted": _plain({name: getattr(self, name) for name in KEPT}),
            "row_shape": _plain(self.row_shape_),
            "card": _plain(asdict(card or cast("VAECard", getattr(self, "card_", VAECard())))),
        }
        tensors = {name: value.contiguous() for name, value in self.model_.state_dict().items()}
        tensors["kl"] = torch.from_numpy(self.kl_)
        weights_file.write(path, header, tensors)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read what `save` wrote: fitted as it was, bit for bit, with `card_` and `sha256_` beside.

        Raises
        ------
        StemnetError
            If the file is absent, or is none of an autoencoder.
        """
        header, tensors = _read(path)
        try:
            made: Any = cls(**_parameters(header))
            made.prepared_ = _prepared(header["prepared"])
            made.conditions_ = Conditions(
                *(np.array(header["conditions"][key], dtype=float) for key in ("mean", "scale"))
            )
            made.row_shape_ = tuple(header["row_shape"])
            for name in KEPT:
                setattr(made, name, header["fitted"][name])
            made.kl_ = tensors.pop("kl").numpy()
            made._n_features_out = made.n_components
            features = len(tensors["encoder_linear.weight"][0])
            # initial weights would be drawn from the global generator, only to be replaced
            with torch.random.fork_rng(devices=[]):
                made.model_ = made._network(features).double().eval()
            made.model_.load_state_dict(tensors)
            made.card_ = _card(header)
        except (RuntimeError, TypeError, ValueError, KeyError) as problem:
            raise StemnetError(
                f"The weights in {path} do not fit the autoencoder that it names; the file is damaged. Copy it again."
            ) from problem
        made.sha256_ = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        return cast("Self", made)

    @classmethod
    def of(cls, path: str | os.PathLike) -> Self:
        """An estimator with the settings of a file, whose `fit` takes the weights of that file.

        Raises
        ------
        StemnetError
            As `load`.
        """
        return cls(**{**_parameters(_read(path)[0]), "weights": path})

    def card(self: Any) -> VAECard:
        """What the file of `weights` says of itself."""
        return _card(_read(self.weights)[0])

    def _taken(self: Any, X: Any, condition: Any) -> Any:
        """Fitted as the file says, instead of to rows."""
        loaded = type(self).load(self.weights)
        for name in HELD_TO:
            if getattr(self, name) != getattr(loaded, name):
                raise StemnetError(
                    f"{self.weights} holds an autoencoder with {name}={getattr(loaded, name)}, and "
                    f"{name}={getattr(self, name)} was asked for. Give that of the file."
                )
        X = np.asarray(X)
        if X.ndim < 2 or X[0].size != loaded.n_features_in_:
            raise StemnetError(
                f"{self.weights} holds an autoencoder of rows of {loaded.n_features_in_} numbers, and rows of "
                f"{X[0].size if X.ndim > 1 else 1} were given. Describe the columns as it was trained "
                f"({_words(loaded.card_)}), or train one on such rows."
            )
        for name in ("prepared_", "conditions_", "row_shape_", "card_", "sha256_", *KEPT):
            setattr(self, name, getattr(loaded, name))
        self._finish(loaded.model_, self._complete(X, condition))
        return self


def _card(header: Mapping[str, Any]) -> VAECard:
    return VAECard(**{**header["card"], "names": tuple(header["card"]["names"])})


def _words(card: VAECard) -> str:
    said = ", ".join(f"{key}={value}" for key, value in card.rows.items() if not isinstance(value, Mapping))
    return said or "the file does not say how"


def _read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    advice = "Give a file that train.py task=vae wrote."
    header, tensors = weights_file.read(path, advice, advice)
    if header.get("format") != FORMAT:
        raise StemnetError(f"{path} holds no autoencoder of the format {FORMAT}. {advice}")
    return header, tensors


def _parameters(header: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, lists as the tuples that they were."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in header["parameters"].items()
    }


def _prepared(entries: Mapping[str, Any]) -> Prepared:
    kind = KINDS[entries["kind"]]
    values = {name: value for name, value in entries.items() if name != "kind"}
    if "mean" in values:
        values["mean"] = np.array(values["mean"], dtype=float)
    return kind(**values)


def _entries(made: Prepared) -> dict[str, Any]:
    return {one.name: getattr(made, one.name) for one in fields(made)}


def _plain(value: Any) -> Any:
    """In types that JSON keeps, numbers exactly."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
