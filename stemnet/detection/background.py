"""A smooth background: cubic B-splines on a coarse grid, separable."""

from __future__ import annotations

from dataclasses import dataclass

import torch


def _bspline(t: torch.Tensor) -> torch.Tensor:
    """Cubic B-spline of unit knot spacing at distance t from its center."""
    t = t.abs()
    inner = 2 / 3 - t * t + t**3 / 2
    outer = (2 - t).clamp(min=0) ** 3 / 6
    return torch.where(t < 1, inner, outer)


@dataclass(frozen=True)
class Spline:
    """Cubic B-splines along one axis of `length` pixels, knots about `spacing` px apart."""

    length: int
    spacing: float

    @property
    def intervals(self) -> int:
        """Number of knot intervals."""
        return max(1, round((self.length - 1) / self.spacing))

    @property
    def count(self) -> int:
        """Number of coefficients."""
        return self.intervals + 3

    def at(self, position: torch.Tensor) -> torch.Tensor:
        """Basis functions at positions [px], shape (P, count); constant beyond the ends."""
        step = max(self.length - 1, 1) / self.intervals
        t = position.clamp(0, self.length - 1) / step
        return _bspline(t[:, None] - torch.arange(-1, self.intervals + 2, device=t.device, dtype=t.dtype))

    def taylor_at(self, position: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """First of the four basis functions at each position, (P,), and their Taylor coefficients, (P, 4, 3).

        Coefficient m is the m-th derivative [px^-m] over m!. Beyond the ends
        the last cubic goes on, which serves columns that reach in from outside.
        """
        step = max(self.length - 1, 1) / self.intervals
        first = (position / step).floor().long().clamp(0, self.intervals - 1)
        f = position / step - first
        value = [(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3]
        slope = [-3 * (1 - f) ** 2, 9 * f**2 - 12 * f, -9 * f**2 + 6 * f + 3, 3 * f**2]
        bend = [3 - 3 * f, 9 * f - 6, 3 - 9 * f, 3 * f]
        terms = [torch.stack(term, 1) / (6 * step**m) for m, term in enumerate((value, slope, bend))]
        return first, torch.stack(terms, 2)

    def products(self, position: torch.Tensor) -> torch.Tensor:
        """Products of each basis function with those up to three knots away, (7, P, count)."""
        basis = self.at(position)
        padded = torch.nn.functional.pad(basis, (3, 3))
        return torch.stack([basis * padded[:, k : k + self.count] for k in range(7)])

    def gram(self, device: torch.device) -> torch.Tensor:
        """Inner products of the basis functions over the pixels, with a small ridge, (count, count)."""
        basis = self.at(torch.arange(self.length, dtype=torch.float64, device=device))
        gram = basis.T @ basis
        return gram + 1e-3 * gram.diagonal().mean() * torch.eye(self.count, dtype=gram.dtype, device=device)

    def roughness(self, device: torch.device) -> torch.Tensor:
        """Squared second differences of the coefficients, (count, count), float64."""
        difference = torch.diff(torch.eye(self.count, dtype=torch.float64, device=device), n=2, dim=0)
        return difference.T @ difference


@dataclass(frozen=True)
class Grid:
    """B-splines down and across an (H, W) image."""

    down: Spline
    across: Spline

    @classmethod
    def over(cls, shape: tuple[int, int], spacing: float) -> Grid:
        """Grid with knots about `spacing` px apart."""
        return cls(Spline(shape[0], spacing), Spline(shape[1], spacing))

    @property
    def shape(self) -> tuple[int, int]:
        """Coefficients down and across."""
        return self.down.count, self.across.count

    def evaluate(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Surface on all pixels, (H, W), float32."""
        rows, cols = self._pixels(coefficients.device)
        return rows @ coefficients.float() @ cols.T

    def evaluate_tiled(self, coefficients: torch.Tensor, size: int) -> torch.Tensor:
        """Surface in tiles of `size` px a side as `Tiles` cuts them, (tiles, size, size), float32; 0 beyond the image.

        Row of tiles by row of tiles: no whole image is held beside the tiles.
        """
        rows, cols = (_padded(basis, size) for basis in self._pixels(coefficients.device))
        beyond, across = rows @ coefficients.float(), cols.T.contiguous()
        tall, wide = len(rows) // size, len(cols) // size
        tiles = beyond.new_empty(tall, wide, size, size)
        for row in range(tall):
            strip = beyond[row * size : (row + 1) * size] @ across
            tiles[row] = strip.view(size, wide, size).transpose(0, 1)
        return tiles.view(-1, size, size)

    def nearest(self, image: torch.Tensor) -> torch.Tensor:
        """Coefficients of the surface nearest to a smooth (H, W) image, least squares, float64."""
        rows, cols = (torch.linalg.pinv(basis) for basis in self._pixels(image.device))
        return (rows @ image.float() @ cols.T).double()

    def project_tiled(self, tiles: torch.Tensor) -> torch.Tensor:
        """Inner products of an image in tiles (tiles, size, size) with all basis functions, float64."""
        size = tiles.shape[1]
        rows, cols = (_padded(basis, size) for basis in self._pixels(tiles.device))
        tall, wide = len(rows) // size, len(cols) // size
        strips = tiles.view(tall, wide, size, size)
        along = torch.cat([strip.transpose(0, 1).reshape(size, wide * size) @ cols for strip in strips])
        return (rows.T @ along).double()

    def _pixels(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        rows = self.down.at(torch.arange(self.down.length, device=device, dtype=torch.float32))
        cols = self.across.at(torch.arange(self.across.length, device=device, dtype=torch.float32))
        return rows, cols

    def taylor_at(self, yx: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The 16 basis functions over each position: flat indices (N, 16); Taylor terms down and across."""
        row, down = self.down.taylor_at(yx[:, 0])
        col, across = self.across.taylor_at(yx[:, 1])
        four = torch.arange(4, device=yx.device)
        index = (row[:, None] + four)[:, :, None] * self.across.count + (col[:, None] + four)[:, None, :]
        return index.reshape(-1, 16), down, across


def _padded(basis: torch.Tensor, size: int) -> torch.Tensor:
    """Basis functions (P, K) with pixels of zero up to a multiple of `size`."""
    return torch.nn.functional.pad(basis, (0, 0, 0, -len(basis) % size))
