"""One safetensors file: tensors, and a JSON header that says what they are. No code travels in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from stemnet.errors import StemnetError


def write(path: str | os.PathLike, header: Mapping[str, object], tensors: Mapping[str, Tensor]) -> None:
    """Write a file; its folder is made if absent.

    Parameters
    ----------
    path : path-like
    header : mapping
        Of plain types, with ``format``.
    tensors : mapping of str to Tensor
    """
    from safetensors.torch import save_file

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), str(path), metadata={"stemnet": json.dumps(header)})


def read(path: str | os.PathLike, missing: str, foreign: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a file.

    Parameters
    ----------
    path : path-like
    missing, foreign : str
        What to do where there is no file, or one that is not ours, for the messages.

    Returns
    -------
    header : dict
    tensors : dict of str to Tensor

    Raises
    ------
    StemnetError
        If the file is absent, or is no weights file.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise StemnetError(f"There is no weights file {path}. {missing}")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = json.loads((file.metadata() or {})["stemnet"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, OSError) as problem:
        raise StemnetError(
            f"{path} is not a stemnet weights file ({type(problem).__name__}). {foreign}"
        ) from problem
    return header if isinstance(header, dict) else {}, tensors
