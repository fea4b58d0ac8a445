"""What all autoencoders of the family share: conditions that are told, and classes that are found.

With K classes a row belongs to one of them, each with a mean row of its own.
The classes are summed over exactly, which needs no encoder of theirs: the
posterior of a class follows from the bound that each gives (the optimum of
Kingma et al., Semi-supervised learning with deep generative models, NeurIPS
2014). Rows whose class is known count for that one only.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Family(nn.Module, ABC):
    """A model of rows, given a condition and a class.

    Parameters
    ----------
    n_numbers : int
        Numbers of a row that the decoder makes.
    n_conditions : int
        Numbers that are told with each row.
    n_classes : int
        Classes that are found; 0 for none.
    """

    def __init__(self, n_numbers: int, n_conditions: int, n_classes: int) -> None:
        super().__init__()
        self.n_conditions, self.n_classes = n_conditions, n_classes
        self.offset = nn.Parameter(torch.zeros(max(n_classes, 1), n_numbers), requires_grad=n_classes > 0)

    @property
    def n_context(self) -> int:
        """Numbers that encoder and decoder are given besides: the condition, and which class it is."""
        return self.n_conditions + self.n_classes

    @abstractmethod
    def bound(self, data: Tensor, noise: Tensor, context: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Log-likelihood (N,) and divergence (N, d) [nats] of rows, given a context (N, C) and the class's mean row."""

    def forward(self, rows: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Log-likelihood [nats] (N,), what the classes cost taken off, and divergence [nats] (N, d).

        Parameters
        ----------
        rows : Tensor, shape (N, D + n_conditions (+ 1))
            Data, conditions, and where there are classes the class that is
            known, -1 where it is not.
        noise : Tensor, shape (N, d)
            Standard normal numbers of the caller's generator.
        """
        data, condition, label = self.split(rows)
        if label is None:
            return self.bound(data, noise, condition, self.offset[0])
        likelihood, divergence = self.of_each_class(data, noise, condition)
        log_joint = likelihood - divergence.sum(dim=2)
        share = self._shares(log_joint, label)
        known = label >= 0
        mixed = torch.logsumexp(log_joint, dim=1)
        told = log_joint.gather(1, label.clamp(min=0)[:, None])[:, 0]
        total = torch.where(known, told, mixed) - math.log(self.n_classes)
        spent = (share[..., None] * divergence).sum(dim=1)
        return total + spent.sum(dim=1), spent

    def of_each_class(self, data: Tensor, noise: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Log-likelihood (N, K) and divergence (N, K, d) that each class would give."""
        found = [
            self.bound(data, noise, self.context(condition, k), self.offset[k]) for k in range(self.n_classes)
        ]
        return torch.stack([one for one, _ in found], dim=1), torch.stack([two for _, two in found], dim=1)

    def context(self, condition: Tensor, k: int) -> Tensor:
        """Conditions with the class k beside them, (N, C)."""
        which = condition.new_zeros(len(condition), self.n_classes)
        which[:, k] = 1.0
        return torch.cat([condition, which], dim=1)

    def probability(self, rows: Tensor, n_components: int) -> Tensor:
        """Of each class, (N, K), at the middle of the latent's posterior; known classes are not looked at."""
        data, condition, _ = self.split(rows)
        likelihood, divergence = self.of_each_class(data, data.new_zeros(len(data), n_components), condition)
        return torch.softmax(likelihood - divergence.sum(dim=2), dim=1)

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Data, conditions (N, n_conditions), and known classes (N,) or None."""
        label = None
        if self.n_classes:
            rows, label = rows[:, :-1], rows[:, -1].long()
        end = rows.shape[1] - self.n_conditions
        return rows[:, :end], rows[:, end:], label

    def _shares(self, log_joint: Tensor, label: Tensor) -> Tensor:
        found = torch.softmax(log_joint.detach(), dim=1)
        told = nn.functional.one_hot(label.clamp(min=0), self.n_classes).to(found)
        return torch.where((label >= 0)[:, None], told, found)
