"""Settings of the process that cost nothing and save a factor of five on a CPU."""

from __future__ import annotations

import ctypes
import os
import sys


def prepare_process() -> None:
    """Set the process up for many short tensor operations; call before torch is imported.

    Threads of OpenMP that spin while they wait steal time from a busy laptop,
    and glibc gives large tensors back to the kernel after every operation,
    only to fault each page in again. Both are switched off; elsewhere than
    Linux the second is left alone. What the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    no_mmap, no_trim, padding = (-4, 0), (-1, 2**31 - 1), (-2, 256 * 2**20)
    for option, value in (no_mmap, no_trim, padding):
        mallopt(option, value)
