"""What an autoencoder is given: rows that are checked, what is told of them, and the likeliest class of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from stemnet.analysis.vae_told import known_classes


class Fed:
    """How rows reach the network of an autoencoder."""

    def _rows(self: Any, X: Any, reset: bool = False) -> np.ndarray:
        """X as (N, D) float64, checked."""
        patch = X.shape[1:] if isinstance(X, np.ndarray) and X.ndim == 3 else None
        if patch is not None:
            X = X.reshape(len(X), -1)
        rows = validate_data(self, X, reset=reset, dtype=np.float64, ensure_min_samples=2 if reset else 1)
        if reset:
            self.row_shape_ = patch or rows.shape[1:]
        return rows

    def _complete(self: Any, X: Any, condition: Any = None, y: Any = None) -> Tensor:
        """What the model is given: data, conditions, classes."""
        check_is_fitted(self, "prepared_")
        rows = self._rows(X)
        parts = [self.prepared_(rows), self.conditions_(condition, len(rows))]
        if self.n_classes:
            parts.append(known_classes(y, len(rows), self.n_classes))
        return torch.from_numpy(np.concatenate(parts, axis=1))

    def _parts(self: Any, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Data, context and mean row, of the likeliest class."""
        data, condition, _ = self.model_.split(rows)
        label = torch.zeros(len(rows), dtype=torch.long)
        if self.n_classes:
            label = self.model_.probability(rows, self.n_components).argmax(dim=1)
        return data, *self._context(condition, label)

    def _context(self: Any, condition: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        which = torch.nn.functional.one_hot(label, max(self.n_classes, 1)).to(condition)
        context = torch.cat([condition, which], dim=1) if self.n_classes else condition
        return context, self.model_.offset[label]
