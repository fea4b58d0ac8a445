"""The weights file: a letter to the future that predicting needs alone.

One safetensors file: the tensors, kernels in half precision, and a JSON header that says what network
they fill, how images must be prepared, on which widths it was trained, where
it is valid and how well it did. No code travels in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from stemnet.errors import StemnetError
from stemnet.models import weights_file
from stemnet.models.unet import UNet

FORMAT = "stemnet-weights/1"

KERNEL = 4
"""Dimensions of a convolution's kernel."""
NETWORKS = {"stemnet.models.unet.UNet": UNet}
"""What a file may name: a class is looked up here, never imported from what a file says."""


@dataclass(frozen=True)
class Card:
    """What a weights file says of itself.

    Parameters
    ----------
    network : mapping
        ``_target_`` and its keyword arguments.
    normalization : mapping
        Keyword arguments of `stemnet.detection.normalization.Normalization`.
    width : tuple of float
        Smallest and largest sigma of a column that was trained [px].
    working_width : float
        Sigma [px] to which images are best scaled.
    sampling : tuple of float
        Range of samplings that the training images had [A/px].
    threshold : float
        Probability above which a peak is a column, calibrated on validation.
    domain : str
        What the network was shown, in words.
    scores : mapping
        Measured on validation: F1, RMSE [px], ...
    config : mapping
        The resolved training config.
    versions : mapping
        Of the libraries that trained it.
    acceptance : mapping
        Numbers of `stemnet.detection.judge.Judge`; without them the
        threshold alone decides.
    """

    network: Mapping[str, object]
    normalization: Mapping[str, object]
    width: tuple[float, float]
    working_width: float
    sampling: tuple[float, float]
    threshold: float
    domain: str
    scores: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    acceptance: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A network with its card.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode, on the CPU.
    card : Card
    sha256 : str
        Of the file it came from.
    """

    network: nn.Module
    card: Card
    sha256: str = ""


def save(path: str | Path, network: nn.Module, card: Card) -> None:
    """Write a weights file.

    Parameters
    ----------
    path : str or Path
    network : nn.Module
        Of the class that ``card.network`` names.
    card : Card
    """
    tensors = {name: _stored(value) for name, value in network.state_dict().items()}
    header = {"format": FORMAT, **asdict(card)}
    weights_file.write(path, header, tensors)


def round_as_saved(network: nn.Module) -> None:
    """Round a network's parameters to what its file will hold, so that what is measured is what is shipped."""
    network.load_state_dict(
        {name: _stored(value).to(value.dtype) for name, value in network.state_dict().items()}
    )


def _stored(tensor: Tensor) -> Tensor:
    """Kernels in half precision, which moves F1 by less than 1e-4; statistics, few and of any size, as they are."""
    kept = tensor.detach().cpu().contiguous()
    return kept.half() if kept.ndim == KERNEL else kept


def load(path: str | Path, setting: str = "checkpoint") -> Checkpoint:
    """Read a weights file.

    Parameters
    ----------
    path : str or Path
    setting : str
        What the user calls it, for the messages.

    Returns
    -------
    Checkpoint

    Raises
    ------
    StemnetError
        If the file is absent, is not a weights file, or names a network that
        this version does not have.
    """
    path = Path(path)
    header, tensors = weights_file.read(
        path,
        f"Give {setting}=<file>.safetensors, or leave it out to use the weights that come with stemnet.",
        f"Give a .safetensors file that train.py exported, or leave {setting} out to use the weights that come with "
        "stemnet.",
    )
    tensors = {name: _used(value) for name, value in tensors.items()}
    held = header.pop("format", None)
    if held != FORMAT:
        raise StemnetError(
            f"{path} holds an autoencoder, which finds no columns. Give it as embedding.vae.weights=, and leave "
            f"{setting} out."
            if "card" in header
            else f"{path} was written in another format than {FORMAT}. Export it again with this version of stemnet."
        )
    spec = dict(header.get("network") or {})
    target = spec.pop("_target_", None)
    if target not in NETWORKS:
        raise StemnetError(
            f"{path} names the network '{target}', which this version does not have (it has {', '.join(NETWORKS)}). "
            "Update stemnet, or use another weights file."
        )
    try:
        # On no device first: initial weights would be drawn from the global generator, only to be replaced.
        with torch.device("meta"):
            network = NETWORKS[target](**spec)
        network.load_state_dict(tensors, assign=True)
        card = Card(**{**header, "width": tuple(header["width"]), "sampling": tuple(header["sampling"])})
    except (RuntimeError, TypeError, ValueError, KeyError) as problem:
        raise StemnetError(
            f"The weights in {path} do not fit the network it names; the file is damaged. Export or copy it again."
        ) from problem
    return Checkpoint(network.eval(), card, hashlib.sha256(path.read_bytes()).hexdigest())


def _used(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.ndim == KERNEL else tensor
