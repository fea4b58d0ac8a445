"""Files appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stemnet.errors import StemnetError


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well.

    A run that is cut off leaves the former file, never half of a new one.

    Raises
    ------
    StemnetError
        If the folder cannot be made or written to.
    """
    path = Path(path)
    # Short, whatever the length of the wanted name: file systems end names at 255 bytes.
    part = path.with_name(f".stemnet-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise StemnetError(
            f"{path} could not be written ({error.strerror or error}). A result needs a folder with room and "
            "the right to write. Pass another output folder."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
