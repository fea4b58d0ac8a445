"""Covariance of each column's parameters, from the normal equations of all."""

from __future__ import annotations

import torch

_WEAK = 0.3  # neighbors whose squared correlations sum to less are taken one by one
_NEIGHBORS = 8  # neighbors of a column whose own correlations count, where they are strong


def marginal_covariance(
    own: torch.Tensor, i: torch.Tensor, j: torch.Tensor, pair: torch.Tensor
) -> torch.Tensor:
    """Covariance of each column's parameters with its neighbors' unknown too.

    Where neighbors overlap a column weakly, each adds its own share to what
    is unknown (the Schur complement, without the neighbors' correlations
    among each other). Where they overlap strongly, the joint matrix of the
    column and its nearest eight neighbors is inverted exactly. What lies
    beyond them is taken as known.

    Parameters
    ----------
    own : Tensor, shape (N, K, K)
        Blocks of the normal matrix of the columns themselves, regularized.
    i, j : Tensor of int, shape (P,)
        Neighbors, each pair once.
    pair : Tensor, shape (P, K, K)
        Blocks between them.

    Returns
    -------
    Tensor, shape (N, K, K)
    """
    if not len(i):
        return torch.linalg.inv(own)
    # in units in which every own block is the identity: entries of a pair's block are correlations
    root = torch.linalg.inv(_lower(own))
    block = root[i] @ pair @ root[j].transpose(1, 2)
    strength = block.square().sum((1, 2))
    overlap = torch.zeros(len(own), dtype=own.dtype, device=own.device)
    overlap = overlap.index_add_(0, i, strength).index_add_(0, j, strength)
    rest = torch.eye(own.shape[1], dtype=own.dtype, device=own.device).repeat(len(own), 1, 1)
    rest.index_add_(0, i, block @ block.transpose(1, 2), alpha=-1)
    rest.index_add_(0, j, block.transpose(1, 2) @ block, alpha=-1)
    strong = torch.nonzero(overlap > _WEAK)[:, 0]
    rest[strong] = torch.eye(own.shape[1], dtype=own.dtype, device=own.device)
    whitened = torch.linalg.inv(rest)
    if len(strong):
        whitened[strong] = _among_neighbors(strong, i, j, block, strength, len(own))
    return root.transpose(1, 2) @ whitened @ root


def _lower(own: torch.Tensor) -> torch.Tensor:
    """Cholesky factors; a block that rounding has made indefinite, of a column hardly measured, is lifted."""
    lower, info = torch.linalg.cholesky_ex(own)
    bad = info > 0
    if bad.any():
        lifted = own[bad] + torch.diag_embed(1e-3 * torch.diagonal(own[bad], dim1=1, dim2=2).abs() + 1e-12)
        lower[bad] = torch.linalg.cholesky_ex(lifted)[0]
    return lower


def _among_neighbors(
    rows: torch.Tensor,
    i: torch.Tensor,
    j: torch.Tensor,
    block: torch.Tensor,
    strength: torch.Tensor,
    count: int,
) -> torch.Tensor:
    """Covariance of chosen columns, in units of their own blocks, with the strongest neighbors' joint matrix."""
    width = block.shape[1]
    source, target = torch.cat([i, j]), torch.cat([j, i])
    both = torch.cat([block, block.transpose(1, 2)])
    order = torch.argsort(strength.repeat(2), descending=True, stable=True)
    order = order[torch.argsort(source[order], stable=True)]
    source_, target_ = source[order], target[order]
    counts = torch.bincount(source_, minlength=count)
    place = torch.arange(len(source_), device=block.device) - (torch.cumsum(counts, 0) - counts)[source_]
    most = min(_NEIGHBORS, int(counts.max()))
    keep = place < most
    near = torch.full((count, most), -1, device=block.device)
    near[source_[keep], place[keep]] = target_[keep]

    # all blocks by key, so that those between two neighbors of a column are found too
    key, order = torch.sort(source * count + target)
    every = both[order]
    out = block.new_empty(len(rows), width, width)
    size = width * (most + 1)
    unit = torch.eye(size, width, dtype=block.dtype, device=block.device)
    parts = torch.split(torch.arange(len(rows), device=block.device), max(1, (1 << 21) // size**2))
    for part in parts:
        ids = torch.cat([rows[part][:, None], near[rows[part]]], 1)  # (n, most + 1)
        wanted = ids[:, :, None] * count + ids[:, None, :]
        found = torch.searchsorted(key, wanted.clamp(min=0)).clamp(max=len(key) - 1)
        there = (key[found] == wanted) & (ids >= 0)[:, :, None] & (ids >= 0)[:, None, :]
        local = every[found] * there[..., None, None]
        slot = torch.arange(most + 1, device=block.device)
        local[:, slot, slot] = torch.eye(width, dtype=block.dtype, device=block.device)
        matrix = local.permute(0, 1, 3, 2, 4).reshape(len(part), size, size)
        out[part] = torch.linalg.solve(matrix, unit.expand(len(part), -1, -1))[:, :width]
    return out
