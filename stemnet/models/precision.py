"""What stays in full precision where a trainer multiplies in half."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn


def in_full(method: Callable[..., Any]) -> Callable[..., Any]:
    """Method of a tensor whose products are of full precision whatever the trainer multiplies in."""

    @wraps(method)
    def exact(self: Any, rows: Tensor, *others: Any) -> Any:
        kind = rows.device.type
        halved = torch.is_autocast_enabled(kind)
        with torch.autocast(kind, enabled=False) if halved else nullcontext():
            return method(self, rows, *others)

    return exact


class FullLinear(nn.Linear):
    """A linear map in full precision."""

    forward = in_full(nn.Linear.forward)


class Perceptron(nn.Sequential):
    """Layers that may multiply in half precision; what comes out is as precise as what came in."""

    def forward(self, rows: Tensor) -> Tensor:
        """Rows after all layers."""
        return super().forward(rows).to(rows.dtype)
