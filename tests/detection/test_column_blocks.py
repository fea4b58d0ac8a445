import numpy as np
import pytest
import torch

from stemnet.detection.background import Grid
from stemnet.detection.column_blocks import Blocks
from stemnet.detection.column_model import Tiles
from stemnet.detection.geometry import Geometry, State

SHAPE = (72, 96)
YX = np.array([[30.2, 31.0], [33.5, 39.7], [34.0, 70.1]])
HEIGHT, WIDTH = np.array([1.0, 0.4, 0.8]), np.array([3.0, 2.8, 3.1])


def jacobian(yx, height, width):
    """Derivatives of every pixel by (y, x, A, q, e1, e2) of one column, (pixels, 6)."""
    row, col = np.indices(SHAPE).reshape(2, -1)
    u, v = (row - yx[0]) / width, (col - yx[1]) / width
    bell = np.exp(-(u**2 + v**2) / 2)
    parts = [
        height / width * u,
        height / width * v,
        np.ones_like(u),
        height * (u**2 + v**2),
        height * (v**2 - u**2) / 2,
        height * u * v,
    ]
    return np.stack(parts, 1) * bell[:, None]


@pytest.mark.parametrize("shapes", [False, True])
def test_blocks_are_those_of_the_jacobian(shapes):
    weight = np.random.default_rng(0).uniform(0.5, 1.5, SHAPE).astype(np.float32)
    state = State(*(torch.as_tensor(x) for x in (YX, HEIGHT, np.log(WIDTH))))
    tiles = Tiles(SHAPE, 24)
    geometry = Geometry.of(tiles, state)
    blocks = Blocks.of(geometry, tiles.cut(torch.as_tensor(weight)), state, shapes)
    own, pair = blocks.at(state, 2.0)
    derivative = [
        jacobian(*column)[:, : 6 if shapes else 4] for column in zip(YX, HEIGHT, WIDTH, strict=True)
    ]
    light = 2.0 * weight.reshape(-1, 1)
    for found, one in zip(own, derivative, strict=True):
        np.testing.assert_allclose(found, one.T @ (light * one), rtol=0.02, atol=0.02)
    assert list(zip(blocks.i.tolist(), blocks.j.tolist(), strict=True)) == [(0, 1)]
    np.testing.assert_allclose(pair[0], derivative[0].T @ (light * derivative[1]), rtol=0.02, atol=0.05)


def test_a_surface_comes_back_from_its_image():
    grid = Grid.over(SHAPE, 20.0)
    coefficients = torch.as_tensor(np.random.default_rng(1).normal(size=grid.shape))
    surface = grid.evaluate(coefficients)
    np.testing.assert_allclose(grid.evaluate(grid.nearest(surface)), surface, atol=1e-4)


@pytest.mark.parametrize("size", [16, 24, 33])
def test_a_surface_in_tiles_is_the_surface_cut_and_products_are_its_transpose(size: int):
    grid, tiles, rng = Grid.over(SHAPE, 20.0), Tiles(SHAPE, size), np.random.default_rng(2)
    coefficients = torch.as_tensor(rng.normal(size=grid.shape))
    whole = tiles.cut(grid.evaluate(coefficients))
    torch.testing.assert_close(grid.evaluate_tiled(coefficients, size), whole, rtol=1e-5, atol=1e-5)
    image = torch.as_tensor(rng.normal(size=SHAPE), dtype=torch.float32)
    product = (grid.project_tiled(tiles.cut(image)) * coefficients).sum()
    torch.testing.assert_close(
        product, (image * grid.evaluate(coefficients)).sum().double(), rtol=1e-4, atol=1e-3
    )
