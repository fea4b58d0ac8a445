"""What cannot be computed becomes a note, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stemnet.errors import StemnetError

Found = TypeVar("Found")


def or_note(notes: list[str], what: Callable[[], Found]) -> Found | None:
    """What a function returns; or None, and what it says is added to the notes."""
    try:
        return what()
    except StemnetError as error:
        notes.append(str(error))
        return None
