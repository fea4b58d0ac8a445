import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.descriptors.neighbor_errors import neighbor_errors
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.errors import StemnetError


def triangular(sigma_y, sigma_x, sampling=0.1, noise=None, cells=12):
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    yx = 20 + grid @ np.array([[0.0, 26.0], [22.5, 13.0]])
    yx = yx if noise is None else yx + noise
    fields = {"sublattice": np.zeros(len(yx), int), "sigma_y": sigma_y, "sigma_x": sigma_x}
    return Columns(yx, (700, 700), sampling, fields)


def test_errors_are_the_covariances_of_many_measurements():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.1, 0.6, (144, 2))
    known = triangular(*sigma.T)
    said = neighbor_errors(known, neighbor_vectors(known))
    rows = [
        neighbor_vectors(triangular(*sigma.T, noise=sigma * rng.normal(size=sigma.shape))).values
        for _ in range(300)
    ]
    rows = np.array(rows)
    middle = np.flatnonzero(np.isfinite(rows).all(axis=(0, 2)))
    assert len(middle) > 90
    ratio = []
    for row in middle[::10]:
        whitened = np.linalg.inv(np.linalg.cholesky(said[row]))
        ratio.append(whitened @ np.cov(rows[:, row].T) @ whitened.T)
    ratio = np.mean(ratio, axis=0)
    print(f"covariance found over that said: {np.diag(ratio).min():.2f} to {np.diag(ratio).max():.2f}")
    np.testing.assert_allclose(ratio, np.eye(12), atol=0.15)


def test_unknown_errors_are_those_of_most_and_rows_at_the_edge_unknown():
    sigma = np.full(144, 0.2)
    known = triangular(sigma, sigma)
    table = neighbor_vectors(known)
    full = neighbor_errors(known, table)
    some = np.where(np.arange(144) % 7 == 0, np.nan, sigma)
    np.testing.assert_allclose(neighbor_errors(triangular(some, some), table), full)
    np.testing.assert_array_equal(np.isfinite(full).all(axis=(1, 2)), table.valid)
    np.testing.assert_allclose(full[table.valid][0, 0, 0], 2 * (0.02) ** 2)
    np.testing.assert_allclose(full[table.valid][0, 0, 2], 0.02**2)
    assert full[table.valid][0, 0, 1] == 0
    pixels = triangular(sigma, sigma, sampling=None)
    np.testing.assert_allclose(neighbor_errors(pixels, neighbor_vectors(pixels)), 100 * full)


def test_columns_without_errors_get_a_sentence():
    nothing = np.full(144, np.nan)
    columns = triangular(nothing, nothing)
    with pytest.raises(StemnetError, match="None of the 144 columns has standard errors"):
        neighbor_errors(columns, neighbor_vectors(columns))
