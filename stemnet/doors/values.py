"""What each setting may hold; configs carry no types, so the doors say it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Kind:
    """What a setting may hold.

    Parameters
    ----------
    words : str
        For the sentence "give ...".
    fits : callable
        Whether a value is of the kind.
    """

    words: str
    fits: Callable[[Any], bool]


def whole(least: int) -> Kind:
    """Whole numbers from `least` on."""
    return Kind(
        f"a whole number of at least {least}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


def optional(kind: Kind) -> Kind:
    """The same, or nothing."""
    return Kind(f"{kind.words}, or leave it out", lambda value: value is None or kind.fits(value))


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def one_of(*names: str) -> Kind:
    """One of some words."""
    return Kind(f"{', '.join(names[:-1])} or {names[-1]}", lambda value: value in names)


def _is_shape(value: Any) -> bool:
    if isinstance(value, int):
        return whole(16).fits(value)
    return isinstance(value, Sequence) and len(value) == 2 and all(whole(16).fits(side) for side in value)


POSITIVE = Kind("a positive number", _is_positive)
SHARE = Kind("a number between 0 and 1", lambda value: _is_positive(value) and value < 1)
SWITCH = Kind("true or false", lambda value: isinstance(value, bool))
SHAPE = Kind("[rows, columns], whole numbers of at least 16", _is_shape)
PORTION = Kind("a number from 0 to below 1", lambda value: value == 0 or SHARE.fits(value))
SEED = Kind("a whole number from 0 to 4294967295", lambda value: whole(0).fits(value) and value < 2**32)

PREDICT = {
    "sampling": optional(POSITIVE),
    "threshold": optional(SHARE),
    "significance": POSITIVE,
    "width": optional(POSITIVE),
    "refine": SWITCH,
    "views": Kind("1, 2, 4 or 8", lambda value: value in (1, 2, 4, 8) and not isinstance(value, bool)),
    "latent": whole(1),
    "clusters": optional(whole(2)),
    "seed": SEED,
    "threads": optional(whole(1)),
    "model_selection": SWITCH,
    "figures": SWITCH,
}
TRAIN = {
    "seed": SEED,
    "epochs": whole(1),
    "batches": whole(1),
    "batch_size": whole(1),
    "validation": whole(1),
    "judged": whole(0),
    "patch": whole(16),
    "workers": whole(0),
    "threads": optional(whole(1)),
    "learning_rate": POSITIVE,
    "patience": whole(1),
    "working_width": POSITIVE,
    "remember": PORTION,
    "quiet": SWITCH,
}
NUMBER = Kind("a number of 0 or more", lambda value: value == 0 or POSITIVE.fits(value))
TRAIN_VAE = {
    "sampling": optional(POSITIVE),
    "rows": one_of("vectors", "patches", "windows"),
    "size": optional(whole(4)),
    "step": optional(whole(1)),
    "center": optional(whole(0)),
    "test": SHARE,
    "test_by": optional(one_of("images", "rows")),
    "latent": whole(1),
    "classes": whole(0),
    "beta": NUMBER,
    "warm_up": whole(0),
    "free_nats": NUMBER,
    "seed": SEED,
    "epochs": whole(1),
    "epoch_batches": optional(whole(1)),
    "batch_size": whole(1),
    "learning_rate": POSITIVE,
    "weight_decay": NUMBER,
    "validation_fraction": SHARE,
    "held_rows": whole(10),
    "patience": whole(1),
    "threads": optional(whole(1)),
    "quiet": SWITCH,
}

SIMULATE = {
    "count": optional(whole(1)),
    "shape": optional(SHAPE),
    "seed": SEED,
    "split": Kind("0, 1 or 2", lambda value: value in (0, 1, 2)),
    "thickness": optional(POSITIVE),
    "vacancy": PORTION,
    "disorder": NUMBER,
    "sampling": optional(POSITIVE),
    "dose": optional(POSITIVE),
    "frames": optional(whole(1)),
    "seconds": POSITIVE,
    "dtype": one_of("float32", "uint16"),
    "compression": Kind("a whole number from 0 to 9", lambda value: whole(0).fits(value) and value < 10),
    "fields": SWITCH,
    "step": whole(1),
    "masks": optional(one_of("column", "sublattice", "soft")),
    "mask_radius": POSITIVE,
    "overwrite": SWITCH,
    "continue": SWITCH,
    "workers": whole(0),
    "threads": optional(whole(1)),
    "quiet": SWITCH,
}


def axis_of(given: Any) -> str | tuple[Any, ...] | None:
    """A zone axis as the library takes it, of what Hydra made of 110, '1-10' or [1,1,0]."""
    if given is None:
        return None
    return tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else str(given)


def checked_values(config: Mapping[str, object], kinds: Mapping[str, Kind]) -> None:
    """Hold the settings against what each may be.

    Raises
    ------
    StemnetError
        At the first that is something else.
    """
    for name, kind in kinds.items():
        if not kind.fits(config[name]):
            raise StemnetError(f"{name}={config[name]} was given; give {kind.words}.")
